#!/usr/bin/env python3
"""handfastd accepts the configuration in the ConfigMap; certificates stand in for the secret."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import manifests  # noqa: E402  (set first)

HANDFASTD = os.path.abspath("server/handfastd")


def check(config_file):
    return subprocess.run([HANDFASTD, f"--config={config_file}", "--check-config"],
                          capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"]})


class ConfigTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="hf.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-keyout", self.folder / "tls.key", "-out", self.folder / "tls.crt"],
                       check=True, capture_output=True, timeout=60)
        (self.folder / "ca.crt").write_bytes((self.folder / "tls.crt").read_bytes())
        text = manifests.find("ConfigMap", "handfastd")["data"]["handfast.yaml"]
        self.text = text.replace("/etc/handfast/tls/", f"{self.folder}/")

    def write(self, text):
        path = self.folder / "handfast.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def test_the_configuration_is_valid(self):
        result = check(self.write(self.text))
        self.assertEqual(0, result.returncode, result.stderr)

    def test_a_misspelt_key_is_refused(self):
        result = check(self.write(self.text.replace("default_profile:", "default_profil:")))
        self.assertEqual(2, result.returncode)
        self.assertIn("default_profil", result.stderr)

    def test_a_missing_secret_is_refused(self):
        (self.folder / "tls.key").unlink()
        result = check(self.write(self.text))
        self.assertEqual(2, result.returncode)
        self.assertIn("tls.key", result.stderr)


if __name__ == "__main__":
    unittest.main()
