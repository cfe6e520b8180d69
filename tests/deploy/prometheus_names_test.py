#!/usr/bin/env python3
"""The rules name only metrics, labels and reasons that the service's sources export.

It reads the sources themselves, not Bazel's copy of them.
"""

import os
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
import prometheus_rules  # noqa: E402  (set first)

# Under Bazel this file is a link into the source tree.
ROOT = pathlib.Path(os.path.realpath(__file__)).parent.parent.parent
RULES = prometheus_rules.read(ROOT / "deploy/prometheus/rules.yaml")


class NamesTest(unittest.TestCase):

    def test_they_name_only_what_the_code_exports(self):
        code = prometheus_rules.Code(ROOT)
        self.assertEqual([], list(prometheus_rules.faults(RULES, code)))

    def test_what_nobody_exports_is_found(self):
        code = prometheus_rules.Code(ROOT)
        for expression, words in [
            ("rate(handfast_handshakes_totals[5m])", "nobody exports handfast_handshakes_totals"),
            ("job:handfast_nothing:rate5m > 0", "no rule records job:handfast_nothing:rate5m"),
            ("sum by (tenant) (handfast_live_handshakes)", "no label tenant"),
            ('handfast_handshakes_total{reason=~"internal_error|no_luck"}', "no reason no_luck"),
            ('handfast_handshakes_total{result="ok"}', "no result ok"),
        ]:
            broken = [*RULES, {"alert": "X", "expr": expression}]
            with self.subTest(expression):
                self.assertIn(words, " ".join(prometheus_rules.faults(broken, code)))


if __name__ == "__main__":
    unittest.main()
