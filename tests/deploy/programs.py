"""Starts programs for a test and ends them, whatever happens. Everything is on loopback."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

# Generous: only a machine that is stuck gets there.
LONGEST_WAIT_S = 60


def free_port():
    """A port that the kernel chose, for programs that cannot say which one they were given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    """(status, body); status 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


class Programs:
    """A folder under /tmp (short enough for a socket's path), and programs that run in it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf.", dir="/tmp"))
        self._running = []

    def start(self, name, command, **environment):
        """Starts a program; what it says goes to NAME.log in the folder."""
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       env={"PATH": os.environ["PATH"], **environment})
        self._running.append((name, process))
        return process

    def start_handfastd(self, command, **environment):
        """Starts the service without a configuration, its admin port chosen by the kernel; returns
        (process, what its ready file says)."""
        ready = self.folder / "ready.json"
        process = self.start("handfastd", [*command, f"--ready-file={ready}"],
                             HANDFAST_STATE_DIR=str(self.folder / "state"),
                             HANDFAST_ADMIN_ADDRESS="127.0.0.1:0", **environment)
        self.wait_for(ready.exists, "handfastd's ready file")
        return process, json.loads(ready.read_text(encoding="utf-8"))

    def wait_for(self, condition, what):
        """The condition's first true value. Fails when a program ends or the time is over."""
        end = time.monotonic() + LONGEST_WAIT_S
        while not (value := condition()):
            for name, process in self._running:
                if process.poll() is not None:
                    raise AssertionError(
                        f"{name} ended with {process.returncode}:\n{self.log(name)}")
            if time.monotonic() > end:
                logs = "".join(f"\n== {name}\n{self.log(name)}" for name, _ in self._running)
                raise AssertionError(f"no {what} within {LONGEST_WAIT_S} s{logs}")
            time.sleep(0.05)
        return value

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def stop(self, process):
        """Asks a program to end, and returns its exit code."""
        self._running = [(name, other) for name, other in self._running if other is not process]
        process.terminate()
        try:
            return process.wait(timeout=LONGEST_WAIT_S)
        finally:
            process.kill()

    def close(self):
        for _, process in reversed(self._running):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
