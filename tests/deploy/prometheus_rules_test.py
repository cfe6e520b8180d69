#!/usr/bin/env python3
"""The rules parse, behave as their unit tests say, and name only what exists."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.dont_write_bytecode = True
import prometheus_rules  # noqa: E402  (set first)

RULES = "deploy/prometheus/rules.yaml"
UNIT_TESTS = "tests/deploy/prometheus_rules_test.yaml"
RUNBOOKS = "deploy/prometheus/runbooks.md"


def promtool(*arguments):
    return subprocess.run(["/usr/bin/promtool", *arguments], capture_output=True, text=True,
                          timeout=120)


class RulesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.rules = prometheus_rules.read(RULES)
        cls.alerts = [rule for rule in cls.rules if "alert" in rule]
        with open(UNIT_TESTS, encoding="utf-8") as file:
            cls.unit_tests = yaml.safe_load(file)

    def test_promtool_accepts_them(self):
        result = promtool("check", "rules", RULES)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn(f"{len(self.rules)} rules found", result.stdout)

    def test_unit_tests_pass(self):
        result = promtool("test", "rules", UNIT_TESTS)
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)

    def test_a_wrong_threshold_fails_the_unit_tests(self):
        text = pathlib.Path(RULES).read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            rules = pathlib.Path(folder) / "rules.yaml"
            rules.write_text(text.replace("> 14.4 * 0.001", "> 144 * 0.001"), encoding="utf-8")
            tests = pathlib.Path(folder) / "tests.yaml"
            tests.write_text(yaml.safe_dump({**self.unit_tests, "rule_files": [str(rules)]}))
            result = promtool("test", "rules", str(tests))
        self.assertNotEqual(0, result.returncode)
        self.assertIn("HandfastHandshakesFailFast", result.stdout + result.stderr)

    def test_every_alert_fires_once_and_keeps_quiet_once(self):
        fired, quiet = set(), set()
        for case in self.unit_tests["tests"]:
            for alert in case.get("alert_rule_test", []):
                (fired if alert["exp_alerts"] else quiet).add(alert["alertname"])
        names = {alert["alert"] for alert in self.alerts}
        self.assertEqual(names, fired)
        self.assertEqual(names, quiet)

    def test_every_alert_says_what_to_do(self):
        text = pathlib.Path(RUNBOOKS).read_text(encoding="utf-8")
        sections = {prometheus_rules.anchor(heading)
                    for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)}
        named = set()
        for alert in self.alerts:
            with self.subTest(alert["alert"]):
                self.assertIn(alert["labels"]["severity"], ("page", "ticket"))
                for annotation in ("summary", "description"):
                    self.assertTrue(alert["annotations"][annotation].strip())
                page, _, section = alert["annotations"]["runbook_url"].partition("#")
                self.assertEqual(RUNBOOKS, page)
                self.assertEqual(prometheus_rules.anchor(alert["alert"]), section)
                named.add(section)
        self.assertEqual(sections, named)

    def test_recorded_series_are_named_by_level_metric_and_operations(self):
        for rule in self.rules:
            if "record" in rule:
                self.assertRegex(rule["record"],
                                 r"^[a-z_]+:(handfast|process)_[a-z0-9_]+:[a-z0-9_]+$")


if __name__ == "__main__":
    if not os.access("/usr/bin/promtool", os.X_OK):
        print("SKIP: promtool (package prometheus) is not installed")
        sys.exit(0)
    unittest.main()
