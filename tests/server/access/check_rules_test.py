#!/usr/bin/env python3
"""The build tool that compares access rules with the contract, and what it must refuse."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL, CONTRACT, NEW_RPC, NO_RPCS = sys.argv[1:5]


class CheckRules(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        self.output = pathlib.Path(folder.name) / "rules_checked.cc"

    def run_tool(self, contract):
        return subprocess.run([TOOL, contract, str(self.output)], capture_output=True, text=True,
                              check=False)

    def test_takes_the_contract(self):
        result = self.run_tool(CONTRACT)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("kCheckedRpcs = ", self.output.read_text())

    def test_refuses_an_rpc_without_a_rule(self):
        result = self.run_tool(NEW_RPC)
        self.assertEqual(result.returncode, 1)
        self.assertIn("/handfast.v1.KeyService/ExportEverything: this RPC has no rule",
                      result.stderr)
        self.assertNotIn("KeyService/GetKey: this RPC", result.stderr)
        self.assertFalse(self.output.exists(), "nothing may be there to be compiled")

    def test_refuses_a_rule_without_an_rpc(self):
        result = self.run_tool(NEW_RPC)
        self.assertIn("/handfast.v1.KeyService/CreateKey: this rule has no RPC", result.stderr)
        # Services of gRPC itself are in no contract of ours.
        self.assertNotIn("grpc.health", result.stderr)

    def test_refuses_an_empty_contract(self):
        result = self.run_tool(NO_RPCS)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no RPC at all", result.stderr)

    def test_refuses_what_is_no_descriptor(self):
        self.assertEqual(self.run_tool(TOOL).returncode, 2)
        self.assertEqual(self.run_tool("/nonexistent").returncode, 2)
        self.assertFalse(self.output.exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
