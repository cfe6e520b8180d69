"""Writes an OCI image layout: a folder that skopeo, podman and containerd read as an image.

The same entries give the same bytes: names are sorted, times are fixed, and neither this machine's
users nor its time zone enter.
"""

import gzip
import hashlib
import io
import json
import os
import tarfile

_TYPE = "application/vnd.oci.image"


def layer(entries, time):
    """One uncompressed tar of all entries; folders stand before what they hold."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(entries):
            entry = entries[path]
            info = tarfile.TarInfo(path)
            info.mode, info.uid, info.gid, info.mtime = entry.mode, entry.owner, entry.owner, time
            if entry.target is not None:
                info.type, info.linkname = tarfile.SYMTYPE, entry.target
            elif entry.data is None:
                info.type = tarfile.DIRTYPE
            else:
                info.size = len(entry.data)
            tar.addfile(info, io.BytesIO(entry.data or b""))
    return raw.getvalue()


def _json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Layout:
    """A layout of one image, being written."""

    def __init__(self, folder):
        self._folder = folder
        os.makedirs(os.path.join(folder, "blobs", "sha256"))

    def _blob(self, kind, data):
        name = hashlib.sha256(data).hexdigest()
        self._write(os.path.join("blobs", "sha256", name), data)
        return {"mediaType": f"{_TYPE}.{kind}", "digest": f"sha256:{name}", "size": len(data)}

    def _write(self, path, data):
        with open(os.path.join(self._folder, path), "wb") as file:
            file.write(data)

    def write(self, tar, tag, architecture, created, config):
        """Writes the image and returns the digest of its manifest."""
        packed = self._blob("layer.v1.tar+gzip", gzip.compress(tar, 6, mtime=0))
        described = self._blob("config.v1+json", _json({
            "architecture": architecture, "os": "linux", "created": created, "config": config,
            "rootfs": {"type": "layers",
                       "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
            "history": [{"created": created, "created_by": "deploy/image/build.sh"}],
        }))
        manifest = self._blob("manifest.v1+json", _json({
            "schemaVersion": 2, "mediaType": f"{_TYPE}.manifest.v1+json",
            "config": described, "layers": [packed],
        }))
        index = {**manifest, "annotations": {"org.opencontainers.image.ref.name": tag},
                 "platform": {"architecture": architecture, "os": "linux"}}
        self._write("index.json", _json({"schemaVersion": 2, "manifests": [index]}))
        self._write("oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        return manifest["digest"]
