#!/usr/bin/env python3
"""Tests the summing of test reports: sum_tests.py."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sum_tests  # noqa: E402  (the path is set just above)

GTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0" name="AllTests">
  <testsuite name="Reader" tests="4" failures="1" disabled="1" skipped="1">
    <testcase name="Takes" status="run" result="completed" classname="Reader" />
    <testcase name="Vectors" status="run" result="skipped" classname="Reader">
      <skipped message="tests/t.cc:4&#x0A;no vectors"><![CDATA[tests/t.cc:4
no vectors]]></skipped>
    </testcase>
    <testcase name="Later" status="notrun" result="suppressed" classname="Reader" />
    <testcase name="Ends" status="run" result="completed" classname="Reader">
      <failure message="expected"/>
    </testcase>
  </testsuite>
</testsuites>"""

SCRIPT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="tests/x" tests="1" failures="0" errors="%d">
<testcase name="tests/x" status="run" duration="1" time="1">%s</testcase>
<system-out><![CDATA[%s]]></system-out></testsuite></testsuites>"""


def _result(label, status, xml_path=None, attempt=1):
    outputs = [{"name": "test.xml", "uri": f"file://{xml_path}"}] if xml_path else []
    return {
        "id": {"testResult": {"label": label, "run": 1, "shard": 1, "attempt": attempt}},
        "testResult": {"status": status, "testActionOutput": outputs},
    }


def _finished(code=0, name="SUCCESS"):
    exit_code = {"name": name}
    if code:  # proto3's JSON leaves a zero out
        exit_code["code"] = code
    return {"id": {"buildFinished": {}}, "finished": {"exitCode": exit_code}}


class SumTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def _write(self, text):
        path = pathlib.Path(self.folder.name) / f"{len(list(pathlib.Path(self.folder.name).iterdir()))} a.xml"
        path.write_text(text, encoding="utf-8")
        return str(path).replace(" ", "%20")

    def _sum(self, *events):
        total = sum_tests.Sum()
        sum_tests.add_run(total, "gcc", events)
        return total

    def test_counts_each_case_of_googletest(self):
        total = self._sum(_result("//t:t", "FAILED", self._write(GTEST)), _finished(3, "TESTS_FAILED"))
        self.assertEqual(total.last_line(), "1 passed, 1 failed, 2 skipped")
        self.assertIn("gcc //t:t Reader.Vectors: no vectors", total.skips)
        self.assertIn("gcc //t:t Reader.Later: disabled in the source", total.skips)
        self.assertFalse(total.is_success())

    def test_counts_a_script_as_one_case(self):
        total = self._sum(_result("//t:x", "PASSED", self._write(SCRIPT % (0, "", "fine"))), _finished())
        self.assertEqual(total.last_line(), "1 passed, 0 failed, 0 skipped")
        self.assertTrue(total.is_success())

    def test_takes_the_reason_of_a_script_that_skips(self):
        report = self._write(SCRIPT % (0, "", "start\nSKIP: no nginx\n"))
        total = self._sum(_result("//t:x", "PASSED", report), _finished())
        self.assertEqual(total.skips, ["gcc //t:x: no nginx"])
        self.assertFalse(total.is_success(), "nothing passed")

    def test_a_script_that_fails_is_not_skipped(self):
        report = self._write(SCRIPT % (1, "<error message='exited with 1'/>", "SKIP: no nginx"))
        total = self._sum(_result("//t:x", "FAILED", report), _finished(3))
        self.assertEqual(total.last_line(), "0 passed, 1 failed, 0 skipped")

    def test_a_failure_after_the_last_case_counts(self):
        good = SCRIPT % (0, "", "")
        total = self._sum(_result("//t:x", "FAILED", self._write(good)), _finished(3))
        self.assertEqual(total.last_line(), "1 passed, 1 failed, 0 skipped")

    def test_the_last_attempt_counts(self):
        bad = self._write(SCRIPT % (1, "<error/>", ""))
        good = self._write(SCRIPT % (0, "", ""))
        total = self._sum(_result("//t:x", "FAILED", bad, 1), _result("//t:x", "PASSED", good, 2),
                          _finished())
        self.assertEqual(total.last_line(), "1 passed, 0 failed, 0 skipped")

    def test_a_target_that_does_not_build_is_a_failure(self):
        broken = {"id": {"targetCompleted": {"label": "//t:y"}}, "completed": {}}
        total = self._sum(broken, _finished(1, "BUILD_FAILURE"))
        self.assertEqual(total.last_line(), "0 passed, 1 failed, 0 skipped")

    def test_a_run_that_ends_early_is_a_failure(self):
        self.assertEqual(len(self._sum().failures), 1)
        self.assertEqual(len(self._sum(_finished(2, "COMMAND_LINE_ERROR")).failures), 1)

    def test_no_tests_is_no_success(self):
        total = self._sum(_finished(4, "NO_TESTS_FOUND"))
        self.assertEqual(total.last_line(), "0 passed, 0 failed, 0 skipped")
        self.assertFalse(total.is_success())

    def test_characters_that_xml_forbids_do_not_hide_a_result(self):
        report = self._write(SCRIPT % (0, "", "\x1b[1mbold\x00"))
        self.assertEqual(self._sum(_result("//t:x", "PASSED", report), _finished()).passed, 1)


if __name__ == "__main__":
    unittest.main()
