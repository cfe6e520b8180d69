#!/usr/bin/env python3
"""The real Prometheus scrapes a real handfastd, and evaluates our rules over what it finds."""

import json
import os
import subprocess
import sys
import unittest
import urllib.parse

import yaml

sys.dont_write_bytecode = True
import programs  # noqa: E402  (set first)

HANDFASTD = os.path.abspath("server/handfastd")
RULES = os.path.abspath("deploy/prometheus/rules.yaml")
PROMETHEUS = "/usr/bin/prometheus"
PROMTOOL = "/usr/bin/promtool"


class ScrapeTest(unittest.TestCase):

    def setUp(self):
        self.programs = programs.Programs()
        self.addCleanup(self.programs.close)
        self.handfastd, ready = self.programs.start_handfastd([HANDFASTD])
        self.admin = ready["admin"]

    def start_prometheus(self):
        config = self.programs.folder / "prometheus.yaml"
        config.write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [RULES],
            "scrape_configs": [{"job_name": "handfastd",
                                "static_configs": [{"targets": [self.admin]}]}],
        }), encoding="utf-8")
        address = f"127.0.0.1:{programs.free_port()}"
        self.programs.start("prometheus", [
            PROMETHEUS, f"--config.file={config}", f"--web.listen-address={address}",
            f"--storage.tsdb.path={self.programs.folder}/tsdb", "--log.level=warn"])
        self.api = f"http://{address}/api/v1/"

    def ask(self, path, **parameters):
        """The data of an answer of Prometheus's API; None while there is none."""
        status, body = programs.get(self.api + path + "?" + urllib.parse.urlencode(parameters))
        return json.loads(body)["data"] if status == 200 else None

    def query(self, expression):
        data = self.ask("query", query=expression)
        return data["result"] if data else None

    def test_prometheus_scrapes_and_evaluates(self):
        self.start_prometheus()
        self.programs.wait_for(lambda: self.query('up{job="handfastd"} == 1'), "successful scrape")
        (build,) = self.programs.wait_for(lambda: self.query("handfast_build_info"), "build info")
        version = subprocess.run([HANDFASTD, "--version"], check=True, capture_output=True,
                                 text=True, timeout=60).stdout.split()[-1]
        self.assertEqual(version, build["metric"]["version"])
        self.assertEqual("1", build["value"][1])

        self.programs.wait_for(lambda: self.query("instance:process_open_fds:ratio"),
                               "recorded series")
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        self.assertTrue(rules)
        self.assertEqual([], [(rule["name"], rule.get("lastError")) for rule in rules
                              if rule["health"] not in ("ok", "unknown")])
        firing = [alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"]
                  if alert["state"] == "firing"]
        self.assertEqual([], firing)

        # Negative control: what is gone is seen to be gone.
        self.assertEqual(0, self.programs.stop(self.handfastd))
        self.programs.wait_for(lambda: self.query('up{job="handfastd"} == 0'), "failed scrape")

    def test_promtool_finds_no_fault_in_the_metrics(self):
        status, text = programs.get(f"http://{self.admin}/metrics")
        self.assertEqual(200, status)
        self.assertEqual((0, ""), self.lint(text))
        self.assertNotEqual(0, self.lint(text.replace("# HELP handfast_build_info", "# x"))[0])

    def lint(self, text):
        result = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True,
                                text=True, timeout=60)
        return result.returncode, result.stdout + result.stderr


if __name__ == "__main__":
    for program in (PROMETHEUS, PROMTOOL):
        if not os.access(program, os.X_OK):
            print(f"SKIP: {program} (package prometheus) is not installed")
            sys.exit(0)
    unittest.main()
