#!/usr/bin/env python3
"""Runs each subject under memcheck, which takes its secrets for bytes that were never written.

usage: memcheck_test.py SUBJECTS_PROGRAM SUPPRESSIONS...

A branch or an address that depends on a secret fails the subject's test; a control must be found.
"""

import shutil
import subprocess
import sys
import unittest

PROGRAM, *SUPPRESSIONS = sys.argv[1:]
# valgrind's own answer to a finding; the subjects answer 0, 1 and 2.
FOUND = 99
REPORTS = ("depends on uninitialised", "Use of uninitialised value")


# The subjects whose outcome is branched on in the engine, under SUPPRESSIONS.
BRANCHES_ON_OUTCOME = ("finished13", "finished12", "client_finished13", "resumed_finished12",
                       "client_finished12", "cbc_open", "cbc_open_etm")


def run(name, suppressed=True):
    suppressions = [f"--suppressions={file}" for file in SUPPRESSIONS] if suppressed else []
    return subprocess.run(
        ["valgrind", "--quiet", f"--error-exitcode={FOUND}", "--leak-check=no", *suppressions,
         PROGRAM, name],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=250,
        check=False)


class MemcheckTest(unittest.TestCase):
    """One test a subject, added below."""


def _quiet(name):
    def test(self):
        done = run(name)
        self.assertEqual(done.returncode, 0, done.stdout)
    return test


def _found(name, suppressed=True):
    def test(self):
        done = run(name, suppressed)
        self.assertEqual(done.returncode, FOUND, f"not found: {name}\n{done.stdout}")
        self.assertTrue(any(report in done.stdout for report in REPORTS), done.stdout)
    return test


def add_tests():
    listed = subprocess.run([PROGRAM], stdout=subprocess.PIPE, text=True, check=True)
    names = listed.stdout.split()
    controls = [name for name in names if name.startswith("control_")]
    if not controls or len(controls) == len(names):
        sys.exit(f"no control, or nothing else: {names}")
    for name in names:
        test = _found(name) if name in controls else _quiet(name)
        setattr(MemcheckTest, f"test_{name}", test)
    # The poison does reach the comparison: without the file, its outcome is reported.
    for name in BRANCHES_ON_OUTCOME:
        setattr(MemcheckTest, f"test_{name}_outcome", _found(name, suppressed=False))


if __name__ == "__main__":
    if shutil.which("valgrind") is None:
        print("SKIP: valgrind is not installed")
        sys.exit(0)
    add_tests()
    unittest.main(argv=sys.argv[:1])
