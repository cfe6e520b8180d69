#!/usr/bin/env python3
"""Runs tests that were built with --config=coverage, and says what of tls/ they cover.

usage: coverage.py --programs BAZEL_BIN --keep FOLDER [--lines 95] [--branches 90] //LABEL...

Each test is run as `bazel test` would, without its sandbox, and leaves a profile in a folder of
its own; llvm-cov adds them up. Prints lines and branches of each file below tls/ and of all, the
least covered first, and fails below the two percentages, or where a test fails.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

MEASURED = re.compile(r"(^|/)(tls/.*\.(?:h|cc))$")
TEST_TIMEOUT = 600  # seconds
AT_ONCE = 2


class Count:
    """How many there are, and how many of them ran."""

    def __init__(self, total=0, covered=0):
        self.total = total
        self.covered = covered

    def add(self, other):
        self.total += other.total
        self.covered += other.covered

    def percent(self):
        return 100.0 * self.covered / self.total if self.total else 100.0

    def __str__(self):
        return f"{self.percent():6.2f} % ({self.covered}/{self.total})"


def per_file(exported):
    """{path below the root: (lines, branches)} of the files of tls/, from llvm-cov's export."""
    files = {}
    for file in exported["data"][0]["files"]:
        match = MEASURED.search(file["filename"])
        if not match or "/tests/" in f"/{file['filename']}":
            continue
        summary = file["summary"]
        files[match.group(2)] = tuple(
            Count(summary[kind]["count"], summary[kind]["covered"])
            for kind in ("lines", "branches"))
    return files


def report(files, least_lines, least_branches):
    """(the text, whether the coverage is enough)."""
    lines, branches = Count(), Count()
    rows = []
    for path, (file_lines, file_branches) in files.items():
        lines.add(file_lines)
        branches.add(file_branches)
        rows.append((file_branches.percent(), file_lines.percent(), path, file_lines,
                     file_branches))
    text = [f"{'lines':>22} {'branches':>22}"]
    for _, _, path, file_lines, file_branches in sorted(rows):
        text.append(f"{str(file_lines):>22} {str(file_branches):>22}  {path}")
    text.append(f"{str(lines):>22} {str(branches):>22}  all of tls/")
    enough = (lines.total > 0 and lines.percent() >= least_lines and
              branches.percent() >= least_branches)
    text.append(f"coverage of tls/: lines {lines.percent():.2f} % (at least {least_lines} %), "
                f"branches {branches.percent():.2f} % (at least {least_branches} %): "
                f"{'enough' if enough else 'TOO LITTLE'}")
    return "\n".join(text), enough


def program_of(programs, label):
    return programs / label.lstrip("/").replace(":", "/")


def run_test(programs, keep, label):
    """(label, exit code, output). The profiles are keep/<label>/*.profraw."""
    program = program_of(programs, label)
    folder = keep / label.lstrip("/").replace(":", "/")
    scratch = folder / "tmp"
    scratch.mkdir(parents=True)
    environment = {**os.environ, "LLVM_PROFILE_FILE": str(folder / "%p.profraw"),
                   "TEST_TMPDIR": str(scratch), "TEST_SRCDIR": f"{program}.runfiles",
                   "TEST_WORKSPACE": "handfast"}
    try:
        done = subprocess.run(
            [str(program)], cwd=f"{program}.runfiles/handfast", env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=TEST_TIMEOUT, check=False)
        return label, done.returncode, done.stdout.decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        return label, -1, str(error)


def run_tests(programs, keep, labels):
    """Runs all; returns the labels of those that failed."""
    failed = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for label, code, output in pool.map(lambda label: run_test(programs, keep, label), labels):
            if code != 0:
                print(f"{output[-4000:]}\n{label} failed: {code}", file=sys.stderr)
                failed.append(label)
    return failed


def export(programs, keep, labels):
    """llvm-cov's summary over all programs."""
    profiles = sorted(str(path) for path in keep.rglob("*.profraw"))
    if not profiles:
        sys.exit("no test left a profile: was it built with --config=coverage?")
    (keep / "profiles").write_text("\n".join(profiles) + "\n", encoding="utf-8")
    merged = keep / "all.profdata"
    subprocess.run(["llvm-profdata-14", "merge", "-sparse", f"-input-files={keep / 'profiles'}",
                    "-o", str(merged)], check=True)
    binaries = [str(program_of(programs, label)) for label in labels]
    command = ["llvm-cov-14", "export", "-summary-only", f"-instr-profile={merged}", binaries[0]]
    for binary in binaries[1:]:
        command += ["-object", binary]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    (keep / "summary.json").write_bytes(done.stdout)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True, type=pathlib.Path)
    parser.add_argument("--keep", required=True, type=pathlib.Path)
    parser.add_argument("--lines", type=float, default=95)
    parser.add_argument("--branches", type=float, default=90)
    parser.add_argument("labels", nargs="+")
    options = parser.parse_args()
    programs, keep = options.programs.resolve(), options.keep.resolve()
    # What an earlier run left would count as covered.
    shutil.rmtree(keep, ignore_errors=True)
    keep.mkdir(parents=True)
    failed = run_tests(programs, keep, options.labels)
    text, enough = report(per_file(export(programs, keep, options.labels)), options.lines,
                          options.branches)
    print(text)
    sys.exit(0 if enough and not failed else 1)


if __name__ == "__main__":
    main()
