#!/usr/bin/env python3
"""Sums the test cases of several `bazel test` runs, skipped ones included.

Bazel's own summary counts targets and hides what was skipped inside them. This reads what each
run said of itself (--build_event_json_file) and the test.xml that each test left.

usage: sum_tests.py CONFIGURATION=EVENTS.json ...

The last line of the output is `N passed, N failed, N skipped`. The exit code is 0 only if
something passed and nothing failed, builds included.
"""

import json
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

# How a test that is a script says that it did not run: one such line, and exit code 0.
SCRIPT_SKIP = re.compile(r"^SKIP: *(.*)$", re.MULTILINE)


class Sum:
    """Counts, with a line for each case that did not pass."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skips = []
        self.repeats = []

    def add_case(self, where, case, script_output):
        name = f"{where} {case.get('classname') or ''}.{case.get('name')}".replace(" .", " ")
        if case.find("failure") is not None or case.find("error") is not None:
            self.failures.append(name)
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            self.skips.append(f"{name}: {_skip_reason(case)}")
        elif case.get("status") == "notrun" or case.get("result") == "suppressed":
            self.skips.append(f"{name}: disabled in the source")
        elif skip := SCRIPT_SKIP.search(script_output):
            self.skips.append(f"{where}: {skip.group(1) or 'no reason given'}")
        else:
            self.passed += 1

    def last_line(self):
        return f"{self.passed} passed, {len(self.failures)} failed, {len(self.skips)} skipped"

    def is_success(self):
        return self.passed > 0 and not self.failures


def _skip_reason(case):
    skipped = case.find("skipped")
    message = (skipped.get("message") or skipped.text or "") if skipped is not None else ""
    # GoogleTest puts file:line on the first line, the test's own words on those that follow.
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines[1:] or lines) or "no reason given"


def add_report(total, where, xml_text):
    """Adds one test.xml; returns how many failures it held."""
    before = len(total.failures)
    for suite in ElementTree.fromstring(xml_text).iter("testsuite"):
        # Only the report that Bazel writes for a script has the output in it.
        output = "".join(element.text or "" for element in suite.iter("system-out"))
        for case in suite.findall("testcase"):
            total.add_case(where, case, output)
    return len(total.failures) - before


def _read_report(event):
    for output in event["testResult"].get("testActionOutput", []):
        if output.get("name") == "test.xml":
            path = urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
            # A sanitizer's report or a peer's output may hold bytes that XML does not allow.
            text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
            return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", "?", text)
    return None


def add_run(total, configuration, events):
    """Adds one run's events (parsed lines of the build event file)."""
    # Of a flaky test's attempts the last one counts.
    last_attempts = {}
    finished = None
    for event in events:
        kind = event.get("id", {})
        if "testResult" in kind and "testResult" in event:
            key = kind["testResult"]
            shard = (key["label"], key.get("run"), key.get("shard"))
            if shard in last_attempts:
                total.repeats.append(f"{configuration} {key['label']}")
            last_attempts[shard] = event
        elif "targetCompleted" in kind and "aborted" not in event:
            if not event.get("completed", {}).get("success"):
                total.failures.append(
                    f"{configuration} {kind['targetCompleted']['label']}: does not build")
        elif "finished" in event:
            finished = event["finished"].get("exitCode", {})

    for (label, _, _), event in sorted(last_attempts.items(), key=lambda item: str(item[0])):
        where = f"{configuration} {label}"
        status = event["testResult"].get("status")
        failed = 0
        try:
            failed = add_report(total, where, _read_report(event) or "<testsuites/>")
        except (OSError, ElementTree.ParseError) as error:
            total.failures.append(f"{where}: unreadable test.xml: {error}")
            failed = 1
        # For instance a leak that is found after the last case.
        if status != "PASSED" and failed == 0:
            total.failures.append(f"{where}: {status}")

    # 0 is success, 3 a failed test (counted above); 4 says that there were no tests.
    if finished is None:
        total.failures.append(f"{configuration}: the run was cut short")
    elif finished.get("code", 0) not in (0, 3, 4) and not total.failures:
        total.failures.append(f"{configuration}: {finished.get('name')}")


def _read_events(path):
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except OSError:
        return []
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def main(arguments):
    total = Sum()
    for argument in arguments:
        configuration, _, path = argument.partition("=")
        add_run(total, configuration, _read_events(path))
    for skip in total.skips:
        print(f"SKIPPED {skip}")
    for repeat in total.repeats:
        print(f"REPEATED {repeat}: failed at first, see its log")
    for failure in total.failures:
        print(f"FAILED  {failure}")
    if not total.passed and not total.failures:
        print("No test ran: that is a failure.")
    print(total.last_line())
    return 0 if total.is_success() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
