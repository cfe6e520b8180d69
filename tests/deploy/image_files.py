"""Builds the images as a user would, and reads what was written."""

import gzip
import io
import json
import os
import pathlib
import subprocess
import tarfile

BUILD = os.path.abspath("deploy/image/build.sh")
IMAGES = {"handfastd": {"handfastd", "handfast"}, "handfast-edge": {"handfast-edge"}}


def build(out, bin_folder=".", **environment):
    """Image -> digest, as build.sh prints them."""
    result = subprocess.run([BUILD, str(out), str(bin_folder), "dev"], check=True, timeout=300,
                            capture_output=True, text=True,
                            env={"PATH": os.environ["PATH"], **environment})
    return dict(line.split() for line in result.stdout.splitlines())


class Image:
    """A layout of one image with one layer."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        index = json.loads((self.folder / "index.json").read_text(encoding="utf-8"))
        (described,) = index["manifests"]
        self.digest = described["digest"]
        manifest = json.loads(self._blob(described).read_text(encoding="utf-8"))
        self.config = json.loads(self._blob(manifest["config"]).read_text(encoding="utf-8"))
        (layer,) = manifest["layers"]
        self._layer = gzip.decompress(self._blob(layer).read_bytes())

    def _blob(self, described):
        return self.folder / "blobs" / described["digest"].replace(":", "/")

    def _open(self):
        return tarfile.open(fileobj=io.BytesIO(self._layer))

    def entries(self):
        """Path -> its header in the layer."""
        with self._open() as tar:
            return {info.name: info for info in tar}

    def read(self, path):
        with self._open() as tar:
            return tar.extractfile(path).read()

    def unpack(self, folder):
        """Writes the root file system; owners are left aside, for that takes root."""
        with self._open() as tar:
            for info in tar:
                target = os.path.join(folder, info.name)
                if info.isdir():
                    os.makedirs(target, exist_ok=True)
                elif info.issym():
                    os.symlink(info.linkname, target)
                else:
                    with open(target, "wb") as file:
                        file.write(tar.extractfile(info).read())
                    os.chmod(target, info.mode)
