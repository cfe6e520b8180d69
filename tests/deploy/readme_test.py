#!/usr/bin/env python3
"""README.md tells the truth: its example runs as it stands, and the files that it names exist."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
import programs  # noqa: E402  (set first)

# Under Bazel this file is a link into the source tree, which has all that the page names.
ROOT = pathlib.Path(os.path.realpath(__file__)).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAM_FOLDERS = [os.path.abspath(folder) for folder in ("server", "client/cli", "client/edge")]
# What a reader who types has waited for, after a line that starts a program.
WAIT = """
for ((i = 0; i < 600; ++i)); do
  if {ready} >/dev/null 2>&1; then break; fi
  kill -0 $! || exit 1
  sleep 0.1
done
"""
READY = {
    "handfastd": "handfast health",
    "python3": "curl --silent http://127.0.0.1:8080/",
    "handfast-edge": "(: < /dev/tcp/127.0.0.1/8443)",
}


class ReadmeTest(unittest.TestCase):

    def example(self):
        (lines,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
        return lines.splitlines()

    def script(self):
        """The example as a program: it stops at a failure, waits where a reader would, and has
        ports that the kernel chose."""
        lines = ["set -e"]
        for line in self.example():
            lines.append(line)
            if line.endswith(" &"):
                lines.append(WAIT.format(ready=READY[line.split()[0]]))
        text = "\n".join(lines)
        for port in ("8080", "8443"):
            text = text.replace(port, str(programs.free_port()))
        return text

    def run_example(self, script):
        """(exit code, output) of a script; ends all that it has started."""
        started = programs.Programs()
        self.addCleanup(started.close)
        with open(started.folder / "output", "wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", script], cwd=started.folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
                env={"PATH": ":".join([*PROGRAM_FOLDERS, os.environ["PATH"]]),
                     "TMPDIR": str(started.folder), "HANDFAST_ADMIN_ADDRESS": "127.0.0.1:0"})
        try:
            code = process.wait(timeout=150)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the group is the script's own
            process.wait()
        return code, (started.folder / "output").read_text(encoding="utf-8", errors="replace")

    def test_the_example_runs(self):
        self.assertEqual(10, len(self.example()))
        code, output = self.run_example(self.script())
        self.assertEqual(0, code, output)
        self.assertIn("Redistribution and use in source and binary forms", output)
        self.assertIn("established", output)  # the ladder

    def test_without_the_authority_it_fails(self):
        code, output = self.run_example(self.script().replace("--cacert ca.pem ", ""))
        self.assertNotEqual(0, code)
        self.assertIn("SSL certificate problem", output)

    def test_the_files_that_it_names_exist(self):
        named = set(re.findall(r"`([\w.]+(?:/[\w.]+)+/?|[A-Z]+(?:\.md)?)`", README))
        self.assertGreater(len(named), 10)
        self.assertEqual([], sorted(path for path in named if not (ROOT / path).exists()))


if __name__ == "__main__":
    unittest.main()
