#!/usr/bin/env python3
"""The images run as Kubernetes would run them: read-only, without rights, as uid 65532."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
import image_files  # noqa: E402  (set first)
import manifests  # noqa: E402
import programs  # noqa: E402


def jail(root, *options):
    """The words before a command of the image. Every namespace is new, the network's too."""
    return ["bwrap", "--unshare-all", "--uid", "65532", "--gid", "65532", "--cap-drop", "ALL",
            "--die-with-parent", "--clearenv", "--ro-bind", str(root), "/", "--proc", "/proc",
            "--dev", "/dev", "--tmpfs", "/tmp", *options]


def why_not():
    """Why nothing can be jailed here; None where it can."""
    try:
        result = subprocess.run(jail("/", "true"), capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return "bwrap (package bubblewrap) is not installed"
    return None if result.returncode == 0 else f"no user namespaces: {result.stderr.strip()}"


class RunTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.programs = programs.Programs()
        cls.addClassCleanup(cls.programs.close)
        cls.roots = {}
        out = cls.programs.folder / "images"
        image_files.build(out)
        for name in image_files.IMAGES:
            cls.roots[name] = cls.programs.folder / f"root-{name}"
            image_files.Image(out / name).unpack(cls.roots[name])

    def run_inside(self, image, *command):
        return subprocess.run([*jail(self.roots[image]), *command], capture_output=True, text=True,
                              timeout=60)

    def test_every_program_starts(self):
        for image, names in image_files.IMAGES.items():
            for name in names:
                result = self.run_inside(image, f"/usr/bin/{name}", "--help")
                self.assertEqual(0, result.returncode, result.stderr)
        result = self.run_inside("handfastd", "/usr/bin/handfastd", "--version")
        self.assertRegex(result.stdout, r"^handfastd \d+\.\d+")

    def test_there_is_no_shell(self):
        for image in image_files.IMAGES:
            for shell in ("/bin/sh", "/usr/bin/sh", "sh"):
                self.assertNotEqual(0, self.run_inside(image, shell, "-c", "exit 0").returncode)

    def test_the_service_serves_and_stops(self):
        """With the volumes and the configuration of the manifests."""
        pod = manifests.find("StatefulSet", "handfastd")["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        volumes = []
        for mount in container["volumeMounts"]:
            # The container's runtime makes the places to mount at, as is done here.
            place = self.roots["handfastd"] / mount["mountPath"].lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
            (self.volume(mount["name"])).mkdir(mode=0o700)
            bind = "--ro-bind" if mount.get("readOnly") else "--bind"
            volumes += [bind, str(self.volume(mount["name"])), mount["mountPath"]]
        self.fill_volumes()

        # The host's network, to see the admin port, on ports that the kernel chooses.
        command = [*jail(self.roots["handfastd"], "--share-net", *volumes),
                   "--setenv", "HANDFAST_ADMIN_ADDRESS", "127.0.0.1:0",
                   "/usr/bin/handfastd", *container["args"], "--ready-file=/tmp/ready.json"]
        process = self.programs.start("handfastd", command)
        ready = self.volume("tmp") / "ready.json"
        self.programs.wait_for(ready.exists, "ready file")
        said = json.loads(ready.read_text(encoding="utf-8"))
        self.assertEqual(2, len(said["addresses"]), said)
        for page in ("livez", "readyz"):
            self.assertEqual(200, programs.get(f"http://{said['admin']}/{page}")[0])

        # What it keeps is its own user's alone.
        kept = list(self.volume("state").iterdir())
        self.assertTrue(kept)
        for file in kept:
            self.assertEqual(0, file.stat().st_mode & 0o077, file)

        # The operator's way in: another process of the same pod.
        environment = [word for variable in container["env"]
                       for word in ("--setenv", variable["name"], variable["value"])]
        result = subprocess.run([*jail(self.roots["handfastd"], *volumes), *environment,
                                 "/usr/bin/handfast", "keys", "list"],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(0, result.returncode, result.stderr)

        # bwrap does not pass a signal on; the program itself is its descendant.
        os.kill(self.descendants(process.pid)[-1], signal.SIGTERM)
        self.assertEqual(0, process.wait(timeout=programs.LONGEST_WAIT_S))

    def volume(self, name):
        return self.programs.folder / f"volume-{name}"

    def fill_volumes(self):
        tls = self.volume("tls")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", "subjectAltName=DNS:handfast.handfast.svc",
                        "-keyout", tls / "tls.key", "-out", tls / "tls.crt"],
                       check=True, capture_output=True, timeout=60)
        (tls / "ca.crt").write_bytes((tls / "tls.crt").read_bytes())
        for file in tls.iterdir():
            file.chmod(0o440)  # as a secret's defaultMode says
        text = manifests.find("ConfigMap", "handfastd")["data"]["handfast.yaml"]
        (self.volume("config") / "handfast.yaml").write_text(
            text.replace("0.0.0.0:8443", "127.0.0.1:0"), encoding="utf-8")

    def descendants(self, pid):
        found = [pid]
        for parent in found:
            children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text()
            found.extend(int(child) for child in children.split())
        return found


if __name__ == "__main__":
    if reason := why_not():
        print(f"SKIP: {reason}")
        sys.exit(0)
    unittest.main()
