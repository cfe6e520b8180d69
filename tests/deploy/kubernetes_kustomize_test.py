#!/usr/bin/env python3
"""kubectl's kustomize builds the whole base: no file of it is left out."""

import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.dont_write_bytecode = True
import manifests  # noqa: E402  (set first)


def names(documents):
    return sorted((document["kind"], document["metadata"]["name"]) for document in documents)


class KustomizeTest(unittest.TestCase):

    def test_it_gives_the_whole_base(self):
        with tempfile.TemporaryDirectory() as folder:
            # kubectl follows no link, and Bazel's files here are links.
            copy = shutil.copytree(manifests.FOLDER, f"{folder}/kubernetes")
            result = subprocess.run(["kubectl", "kustomize", copy], capture_output=True, text=True,
                                    timeout=60)
        self.assertEqual(0, result.returncode, result.stderr)
        base = [document for path in manifests.paths() if "/base/" in path
                for document in manifests.read(path)]
        self.assertEqual(names(base), names(yaml.safe_load_all(result.stdout)))


if __name__ == "__main__":
    if not shutil.which("kubectl"):
        print("SKIP: kubectl (package kubernetes-client) is not installed")
        sys.exit(0)
    unittest.main()
