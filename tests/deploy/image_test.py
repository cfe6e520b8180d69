#!/usr/bin/env python3
"""The images: the same bytes each time, readable by others, nothing in them that need not be."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import hardening  # noqa: E402  (set first)
import image_files  # noqa: E402

PROGRAMS = ("server/handfastd", "client/cli/handfast", "client/edge/handfast-edge")
# No way to run what somebody brings along.
INTERPRETERS = {"sh", "bash", "dash", "ash", "zsh", "busybox", "toybox", "env", "perl", "python3",
                "curl", "wget", "apt", "dpkg", "su", "sudo"}


class ImageTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.out = pathlib.Path(cls.scratch.name) / "first"
        cls.digests = image_files.build(cls.out)
        cls.images = {name: image_files.Image(cls.out / name) for name in image_files.IMAGES}

    def test_two_builds_have_the_same_digest(self):
        # Copies with other times and modes, another time zone, language and umask.
        copies = pathlib.Path(self.scratch.name) / "copies"
        for program in PROGRAMS:
            (copies / program).parent.mkdir(parents=True)
            shutil.copyfile(program, copies / program)
            (copies / program).chmod(0o700)
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        second = pathlib.Path(self.scratch.name) / "second"
        again = image_files.build(second, copies, TZ="Asia/Tokyo", LC_ALL="C.UTF-8", HOME="/tmp")
        self.assertEqual(self.digests, again)
        for name in image_files.IMAGES:
            bill = name + ".spdx.json"
            self.assertEqual((self.out / bill).read_bytes(), (second / bill).read_bytes())

        # Negative control: one byte more is another image.
        with open(copies / PROGRAMS[0], "ab") as file:
            file.write(b"\0")
        changed = image_files.build(pathlib.Path(self.scratch.name) / "third", copies)
        self.assertNotEqual(self.digests["handfastd"], changed["handfastd"])
        self.assertEqual(self.digests["handfast-edge"], changed["handfast-edge"])

    def test_each_image_is_what_its_digest_says(self):
        for name, image in self.images.items():
            self.assertEqual(self.digests[name], image.digest)
            for blob in (self.out / name / "blobs" / "sha256").iterdir():
                self.assertEqual(blob.name, hashlib.sha256(blob.read_bytes()).hexdigest())

    def test_it_starts_our_program_as_nobody_in_particular(self):
        for name, image in self.images.items():
            config = image.config["config"]
            self.assertEqual("65532:65532", config["User"])
            self.assertEqual([f"/usr/bin/{name}"], config["Entrypoint"])

    def test_nothing_is_inside_that_need_not_be(self):
        for name, image in self.images.items():
            entries = image.entries()
            with self.subTest(name):
                programs = {path for path in entries if path.startswith("usr/bin/")}
                self.assertEqual({f"usr/bin/{each}" for each in image_files.IMAGES[name]}, programs)
                self.assertEqual(set(), INTERPRETERS & {os.path.basename(path) for path in entries})
                users = image.read("etc/passwd").decode().splitlines()
                self.assertEqual(["handfast:x:65532:65532"],
                                 [":".join(user.split(":")[:4]) for user in users])
                folders = {path for path, info in entries.items() if info.isdir()}
                places = {"dev", "etc", "proc", "sys", "tmp", "var/lib/handfast"}
                self.assertLessEqual(places, folders)

    def test_no_file_gives_rights(self):
        for name, image in self.images.items():
            for path, info in image.entries().items():
                with self.subTest(image=name, path=path):
                    self.assertTrue(info.isreg() or info.isdir() or info.issym())
                    self.assertEqual(0, info.mode & 0o6000, "set-user-id or set-group-id")
                    if path != "tmp" and not info.issym():
                        self.assertEqual(0, info.mode & 0o022, "others may write")
                    if info.uid != 0:
                        self.assertTrue(info.isdir(), "the program could change it")
                    self.assertEqual(0, info.mtime)

    def test_the_bill_of_materials_names_every_library(self):
        for name, image in self.images.items():
            bill = json.loads(image.read(f"usr/share/sbom/{name}.spdx.json"))
            self.assertEqual("SPDX-2.3", bill["spdxVersion"])
            listed = {file["fileName"].removeprefix("./"): file for file in bill["files"]}
            inside = {path for path, info in image.entries().items()
                      if info.isreg() and path.startswith(("usr/bin/", "usr/lib"))}
            self.assertEqual(inside, set(listed))
            for path in inside:
                digest = hashlib.sha256(image.read(path)).hexdigest()
                self.assertIn({"algorithm": "SHA256", "checksumValue": digest},
                              listed[path]["checksums"], path)

            known = {each["SPDXID"] for each in [bill, *bill["packages"], *bill["files"]]}
            holders = {}
            for relation in bill["relationships"]:
                self.assertIn(relation["spdxElementId"], known)
                self.assertIn(relation["relatedSpdxElement"], known)
                if relation["relationshipType"] == "CONTAINS":
                    holders[relation["relatedSpdxElement"]] = relation["spdxElementId"]
            versions = {each["SPDXID"]: each["versionInfo"] for each in bill["packages"]}
            for file in bill["files"]:
                self.assertTrue(versions[holders[file["SPDXID"]]], file["fileName"])
            libc = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libc6"], check=True,
                                  capture_output=True, text=True).stdout
            self.assertEqual(libc, versions["SPDXRef-Package-libc6"])

    def test_skopeo_reads_it(self):
        if not shutil.which("skopeo"):
            self.skipTest("skopeo is not installed")
        for name, image in self.images.items():
            seen = subprocess.run(["skopeo", "inspect", f"oci:{self.out / name}:dev"], check=True,
                                  capture_output=True, text=True, timeout=120).stdout
            self.assertEqual(image.digest, json.loads(seen)["Digest"])


class HardeningTest(unittest.TestCase):

    def test_programs_are_hardened(self):
        for program in PROGRAMS:
            with self.subTest(program):
                self.assertEqual([], list(hardening.faults(program)))

    def test_a_soft_program_is_found(self):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
            subprocess.run(["gcc", "-x", "c", "-", "-o", f"{folder}/soft", "-O1", "-no-pie",
                            "-fno-stack-protector", "-fcf-protection=none", "-U_FORTIFY_SOURCE",
                            "-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp"],
                           input="int main(void) { return 0; }", text=True, check=True, timeout=60)
            self.assertEqual({"pie", "executable-stack", "relro", "bind-now", "rpath",
                              "stack-protector", "fortify", "cet"},
                             set(hardening.faults(f"{folder}/soft")))


if __name__ == "__main__":
    unittest.main()
