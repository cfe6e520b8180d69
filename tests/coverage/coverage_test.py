#!/usr/bin/env python3
"""Tests coverage.py: what it reads of llvm-cov's export, and when it says that it is enough."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import coverage

PROGRAM = pathlib.Path(coverage.__file__)


def exported(*files):
    return {"data": [{"files": [
        {"filename": name, "summary": {"lines": {"count": lines[0], "covered": lines[1]},
                                       "branches": {"count": branches[0], "covered": branches[1]}}}
        for name, lines, branches in files]}]}


class CoverageTest(unittest.TestCase):

    def test_only_the_products_protocol_is_measured(self):
        files = coverage.per_file(exported(
            ("./tls/base/bytes.cc", (10, 9), (4, 3)),
            ("tls/base/reader.h", (20, 20), (8, 8)),
            ("./tests/tls/base/bytes_test.cc", (100, 1), (100, 1)),
            ("/usr/include/c++/12/vector", (100, 1), (100, 1))))
        self.assertEqual(sorted(files), ["tls/base/bytes.cc", "tls/base/reader.h"])
        lines, branches = files["tls/base/bytes.cc"]
        self.assertEqual((lines.covered, lines.total), (9, 10))
        self.assertEqual((branches.covered, branches.total), (3, 4))

    def test_the_least_covered_come_first_and_the_sum_last(self):
        files = coverage.per_file(exported(
            ("tls/a.cc", (100, 100), (10, 10)), ("tls/b.cc", (100, 90), (10, 8))))
        text, enough = coverage.report(files, 95, 90)
        self.assertTrue(enough)
        self.assertLess(text.index("tls/b.cc"), text.index("tls/a.cc"))
        self.assertIn("lines 95.00 % (at least 95 %), branches 90.00 %", text.splitlines()[-1])

    def test_too_few_lines_or_branches_or_nothing_at_all(self):
        for lines, branches in (((100, 94), (10, 10)), ((100, 100), (100, 89))):
            files = coverage.per_file(exported(("tls/a.cc", lines, branches)))
            text, enough = coverage.report(files, 95, 90)
            self.assertFalse(enough)
            self.assertIn("TOO LITTLE", text)
        self.assertFalse(coverage.report({}, 95, 90)[1])

    def test_a_label_is_a_program(self):
        self.assertEqual(coverage.program_of(pathlib.Path("/bin"), "//tests/tls/base:x_test"),
                         pathlib.Path("/bin/tests/tls/base/x_test"))

    def test_a_test_that_fails_is_told_and_one_without_a_profile_is_no_coverage(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "tests/a_test"
            (pathlib.Path(f"{program}.runfiles") / "handfast").mkdir(parents=True)
            program.write_text("#!/bin/sh\necho broken\nexit 3\n")
            program.chmod(0o755)
            done = subprocess.run(
                [sys.executable, PROGRAM, "--programs", folder, "--keep", f"{folder}/keep",
                 "//tests:a_test"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("broken\n\n//tests:a_test failed: 3", done.stdout)
            self.assertIn("no test left a profile", done.stdout)


if __name__ == "__main__":
    unittest.main()
