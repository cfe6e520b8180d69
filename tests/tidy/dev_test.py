#!/usr/bin/env python3
"""Tests `dev`: a copy of it runs in a folder of its own, with a PATH that holds fakes of whatever
could change a machine and links to the few harmless programs that it needs. Nothing is installed
and nothing is built.
"""

import os
import pathlib
import pty
import re
import shutil
import subprocess
import tempfile
import unittest

# Under Bazel this file is a link into the source tree.
DEV = pathlib.Path(os.path.realpath(__file__)).parent.parent.parent / "dev"
LIBRARIES = DEV.parent / "bazel/pkg_config.bzl"
# What `dev` calls or reads besides.
FILES = ("tests/client/examples/npm.sh", "client/examples/node/package.json",
         "client/examples/node/package-lock.json")

HARMLESS = ("bash", "cat", "cut", "dirname", "env", "find", "grep", "install", "mkdir", "realpath",
            "rm", "sha256sum", "sort", "tr")
COMMANDS = ("demo", "test", "bench", "fuzz", "soak", "coverage", "lint", "fmt", "setup", "clean")

# Each fake notes its name and arguments in the log, a line a call.
FAKES = {
    "sudo": 'exec "$@"',
    "dpkg-query": """
        code=0
        installed=" $(cat {root}/installed | tr '\\n' ' ') "
        for package; do
          case $package in -*) continue ;; esac
          case $installed in
            *" $package "*) echo "$package installed" ;;
            *) echo "no packages found matching $package" >&2; code=1 ;;
          esac
        done
        exit $code""",
    "apt-get": """
        [ -e {root}/apt-fails ] && exit 100
        shift 2  # -o DPkg::Lock::Timeout=300
        [ "$1" = install ] || exit 0
        sh_policy=none
        [ -x {root}/policy ] && {{ {root}/policy && sh_policy=0 || sh_policy=$?; }}
        echo "policy answers $sh_policy" >>{root}/log
        shift
        for package; do
          case $package in -*) ;; *) echo "$package" >>{root}/installed ;; esac
        done""",
    "bazel": """
        [ "$1" = info ] && echo {root}/built
        case "$*" in
          build*asan*) [ -e {root}/build-fails ] && exit 1 ;;
          test*chaos*) [ -e {root}/drill-fails ] && exit 1 ;;
        esac
        [ "$1" = query ] || exit 0
        case "$*" in
          *tsan*) cat {root}/query-tsan ;;
          *cc_test*) cat {root}/query-coverage ;;
          *) cat {root}/query-asan ;;
        esac""",
    "python3": """
        case "$*" in *fuzz.py*) [ -e {root}/fuzzing-fails ] && exit 1 ;; esac
        echo '1 passed, 0 failed, 0 skipped'""",
}


class DevTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        self.bin = self.root / "bin"
        self.bin.mkdir()
        for program in HARMLESS:
            found = shutil.which(program, path="/usr/bin:/bin")
            self.assertIsNotNone(found, program)
            (self.bin / program).symlink_to(found)
        for name, body in FAKES.items():
            self.fake(name, body.format(root=self.root))
        (self.root / "work").mkdir()
        shutil.copy(DEV, self.root / "work/dev")
        for file in FILES:
            (self.root / "work" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(DEV.parent / file, self.root / "work" / file)
        (self.root / "installed").write_text("")
        for name in ("asan", "tsan", "coverage"):
            (self.root / f"query-{name}").write_text(f"//tests/a:{name}\n//tests/b:{name}\n")
        self.built = self.root / "built/tests"
        for folder in ("constant_time", "sim"):
            (self.built / folder).mkdir(parents=True)

    def fake(self, name, body):
        script = self.bin / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.root}/log\n{body}\n')
        script.chmod(0o755)

    def run_dev(self, *arguments, stderr=subprocess.PIPE, **environment):
        """(exit code, standard output, standard error); the log is that of this run alone."""
        (self.root / "log").write_text("")
        done = subprocess.run(
            [self.bin / "bash", self.root / "work/dev", *arguments],
            env={"PATH": str(self.bin), "HANDFAST_TEST_POLICY": str(self.root / "policy"),
                 **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=60,
            check=False)
        return done.returncode, done.stdout, done.stderr

    def calls(self, program):
        lines = (self.root / "log").read_text().splitlines()
        return [line.partition(" ")[2] for line in lines if line.split(" ")[0] == program]

    def installs(self):
        """What apt-get was asked to install, call by call."""
        return [call.split()[call.split().index("install") + 1:] for call in self.calls("apt-get")
                if "install" in call.split()]

    def everything_is_installed(self):
        self.run_dev("setup")

    # --- the commands

    def test_alone_it_lists_the_commands(self):
        code, output, _ = self.run_dev()
        self.assertEqual(code, 0)
        for command in COMMANDS:
            self.assertRegex(output, rf"(?m)^\./dev {command} ")
        self.assertEqual((self.root / "log").read_text(), "", "it only lists")

    def test_an_unknown_command_is_named(self):
        code, output, errors = self.run_dev("frobnicate")
        self.assertNotEqual(code, 0)
        self.assertEqual(output, "")
        self.assertIn("no such command: frobnicate", errors)
        self.assertEqual((self.root / "log").read_text(), "")

    # --- packages

    def test_what_is_missing_is_named_and_installed(self):
        self.everything_is_installed()
        installed = self.root / "installed"
        installed.write_text(installed.read_text().replace("\ncurl\n", "\n"))
        code, _, errors = self.run_dev("setup")
        self.assertEqual(code, 0, errors)
        self.assertRegex(errors, r"To install \(\d+ packages, .*\):\n +(curl ?)+\n")
        (packages,) = self.installs()
        self.assertEqual({"-y", "--no-install-recommends", "curl"}, set(packages))
        self.assertTrue(self.calls("apt-get")[0].endswith(" update"))

    def test_a_second_run_installs_nothing(self):
        code, _, errors = self.run_dev("setup")
        self.assertEqual(code, 0, errors)
        self.assertEqual(len(self.installs()), 1)
        code, _, errors = self.run_dev("setup")
        self.assertEqual(code, 0, errors)
        self.assertEqual(self.calls("apt-get"), [])
        self.assertEqual(self.calls("sudo"), [])

    def test_a_command_installs_no_more_than_it_needs(self):
        code, _, errors = self.run_dev("fmt")
        self.assertIn("clang-format-14", self.installs()[0], (code, errors))
        self.assertNotIn("prometheus", self.installs()[0])

    def test_the_tests_have_all_that_they_are_built_with(self):
        self.run_dev("test")
        libraries = set(re.findall(r'_library\(\s*"([^"]+)"', LIBRARIES.read_text()))
        self.assertIn("nlohmann-json3-dev", libraries, "the control")
        wanted = libraries | {"bazel-bootstrap", "g++", "clang-14", "libclang-rt-14-dev"}
        self.assertEqual(wanted - set(self.installs()[0]), set())

    def test_a_package_is_not_asked_for_where_its_program_is(self):
        for package, program in (("kubernetes-client", "kubectl"), ("nodejs", "node"),
                                 ("npm", "npm")):
            (self.root / "installed").write_text("")
            self.run_dev("setup")
            self.assertIn(package, self.installs()[0])
            (self.root / "installed").write_text("")
            self.fake(program, "")
            self.run_dev("setup")
            self.assertNotIn(package, self.installs()[0])
            self.assertIn("curl", self.installs()[0])

    def test_elsewhere_it_says_what_to_install(self):
        (self.bin / "apt-get").unlink()
        code, _, errors = self.run_dev("setup")
        self.assertNotEqual(code, 0)
        self.assertIn("libgrpc++-dev", errors)
        code, _, errors = self.run_dev("setup", HANDFAST_NO_SETUP="1")
        self.assertEqual(code, 0, errors)

    # --- policy-rc.d

    def test_no_daemon_starts_while_it_installs(self):
        self.run_dev("setup")
        self.assertEqual(self.calls("policy"), ["answers 101"])
        self.assertFalse((self.root / "policy").exists(), "it stays only as long as apt-get runs")

    def test_the_owners_policy_stays(self):
        policy = self.root / "policy"
        policy.write_text("#!/bin/sh\nexit 104\n")
        policy.chmod(0o755)
        self.run_dev("setup")
        self.assertEqual(self.calls("policy"), ["answers 104"])
        self.assertEqual(policy.read_text(), "#!/bin/sh\nexit 104\n")

    def test_a_failure_of_apt_get_ends_it_and_leaves_no_policy(self):
        (self.root / "apt-fails").touch()
        code, _, errors = self.run_dev("setup")
        self.assertNotEqual(code, 0)
        self.assertIn("apt-get update failed", errors)
        self.assertNotIn("Everything is installed", errors)
        self.assertFalse((self.root / "policy").exists())

    # --- test

    def test_each_configuration_runs_its_tests(self):
        self.everything_is_installed()
        code, output, errors = self.run_dev("test")
        self.assertEqual(code, 0, errors)
        self.assertEqual(output.splitlines()[-1], "1 passed, 0 failed, 0 skipped")
        gcc, asan, tsan = [call for call in self.calls("bazel") if call.startswith("test ")]
        self.assertTrue(gcc.endswith(" //..."), gcc)
        self.assertTrue(asan.endswith(" --config=asan //tests/a:asan //tests/b:asan"), asan)
        self.assertTrue(tsan.endswith(" --config=tsan //tests/a:tsan //tests/b:tsan"), tsan)
        for name in ("gcc", "asan", "tsan"):
            self.assertIn(f"{name}=", self.calls("python3")[0])
            self.assertRegex(errors, rf"(?m)^== ({name}: building and testing .*)\n== \1: \d+ s$")

    def test_a_sanitizer_is_not_skipped_in_silence(self):
        self.everything_is_installed()
        for name in ("asan", "tsan"):
            query = self.root / f"query-{name}"
            tests = query.read_text()
            query.write_text("")
            code, output, errors = self.run_dev("test")
            self.assertNotEqual(code, 0)
            self.assertIn(f"no test runs under {name}", errors)
            self.assertNotIn("passed", output)
            query.unlink()  # cat fails, and bazel query with it
            code, output, errors = self.run_dev("test")
            self.assertNotEqual(code, 0)
            self.assertIn(f"no list of tests for {name}", errors)
            self.assertNotIn("passed", output)
            query.write_text(tests)

    def modules(self):
        """The folder of Node's modules that each test run of Bazel was told, and npm's calls."""
        self.fake("bazel", f'echo "modules ($HANDFAST_NODE_MODULES)" >>{self.root}/log\n' +
                  FAKES["bazel"].format(root=self.root))
        code, output, errors = self.run_dev("test")
        self.assertEqual((code, output.splitlines()[-1]), (0, "1 passed, 0 failed, 0 skipped"))
        (told,) = set(self.calls("modules"))
        return told, self.calls("npm"), errors

    def test_node_modules_are_brought_once(self):
        self.everything_is_installed()
        self.fake("node", "")
        self.fake("npm", "mkdir node_modules")
        folder = self.root / "work/.cache/node"
        ci = ["ci --ignore-scripts --no-audit --no-fund"]
        self.assertEqual(self.modules()[:2], (f"({folder}/node_modules)", ci))
        self.assertTrue((folder / "package.json").exists(), "what npm ci reads")
        self.assertEqual(self.modules()[:2], (f"({folder}/node_modules)", []))
        (self.root / "work" / FILES[2]).write_text("another lock\n")
        self.assertEqual(self.modules()[:2], (f"({folder}/node_modules)", ci))

    def test_without_node_modules_the_rest_goes_on(self):
        self.everything_is_installed()
        skipped = "the test of client/examples/node is skipped"
        told, _, errors = self.modules()
        self.assertEqual(told, "()")
        self.assertIn(f"there is no node: {skipped}", errors)
        self.fake("node", "")
        self.fake("npm", "echo no route to the registry; exit 1")
        for _ in range(2):  # a failure is not taken for an installation
            told, calls, errors = self.modules()
            self.assertEqual((told, len(calls)), ("()", 1))
            self.assertIn("no route to the registry", errors)
            self.assertIn(f"npm ci failed (is there a network?): {skipped}", errors)

    # --- fuzz, soak, coverage

    def fake_built(self, path, code):
        program = self.built / path
        program.write_text(
            f'#!/bin/sh\necho "{program.name} $*" >>{self.root}/log\nexit {code}\n')
        program.chmod(0o755)

    def fake_soak(self, code):
        self.fake_built("sim/simulate", code)
        self.fake_built("constant_time/timing", code)

    def test_fuzz_runs_what_it_is_told(self):
        self.everything_is_installed()
        for arguments, expected in (
                ([], "--seconds 90"),
                (["--seconds", "7"], "--seconds 7"),
                (["ticket", "--seconds", "7", "message"], "--seconds 7")):
            code, _, errors = self.run_dev("fuzz", *arguments)
            self.assertEqual(code, 0, errors)
            self.assertIn(" --config=asan ", self.calls("bazel")[0].replace("build ", " "))
            (call,) = self.calls("python3")
            named = " ticket message" if "ticket" in arguments else ""
            self.assertEqual(call, f"tests/fuzz/fuzz.py run {expected} --programs "
                                   f"{self.root}/built/tests/fuzz --keep .cache/fuzz{named}")

    def test_fuzz_refuses_what_it_does_not_know(self):
        for arguments in (["--seconds"], ["--seconds", "0"], ["--seconds", "soon"], ["--fast"]):
            code, _, errors = self.run_dev("fuzz", *arguments)
            self.assertNotEqual(code, 0)
            self.assertRegex(errors, "needs a whole number|no such option")
            self.assertEqual(self.calls("python3"), [])

    def test_soak_fuzzes_simulates_and_measures(self):
        self.everything_is_installed()
        self.fake_soak(0)
        for arguments, seconds in (([], 3600), (["--minutes", "2"], 120)):
            code, _, errors = self.run_dev("soak", *arguments)
            self.assertEqual(code, 0, errors)
            self.assertIn(f" --seconds {seconds} ", self.calls("python3")[0])
            self.assertEqual(self.calls("simulate"), ["--seeds=100000"])
            self.assertEqual(len(self.calls("timing")), 1)
            (drill,) = [call for call in self.calls("bazel") if call.startswith("test ")]
            self.assertRegex(drill, r"HANDFAST_DRILL_SEED=\d+ //tests/chaos:drill_test$")

    def test_soak_runs_all_and_tells_all_that_failed(self):
        self.everything_is_installed()
        self.fake_soak(1)
        (self.root / "fuzzing-fails").touch()
        (self.root / "drill-fails").touch()
        code, _, errors = self.run_dev("soak")
        self.assertNotEqual(code, 0)
        self.assertIn("failed: fuzzing, drill, simulation, t-tests", errors)
        (self.root / "fuzzing-fails").unlink()
        (self.root / "drill-fails").unlink()
        code, _, errors = self.run_dev("soak")
        self.assertNotEqual(code, 0)
        self.assertIn("failed: simulation, t-tests", errors)

    def test_what_an_earlier_build_left_is_not_run(self):
        self.everything_is_installed()
        self.fake_soak(0)
        (self.root / "build-fails").touch()
        for command in ("fuzz", "soak"):
            code, _, errors = self.run_dev(command)
            self.assertNotEqual(code, 0)
            self.assertIn("the build failed", errors)
            self.assertEqual(self.calls("python3"), [])

    def test_coverage_builds_the_tests_and_runs_them(self):
        self.everything_is_installed()
        code, _, errors = self.run_dev("coverage")
        self.assertEqual(code, 0, errors)
        tests = "//tests/a:coverage //tests/b:coverage"
        build = [call for call in self.calls("bazel") if call.startswith("build ")]
        self.assertEqual(len(build), 1)
        self.assertIn("--config=coverage", build[0])
        self.assertTrue(build[0].endswith(tests), build)
        self.assertEqual(self.calls("python3"), [
            f"tests/coverage/coverage.py --programs {self.root}/built --keep .cache/coverage "
            f"{tests}"])
        (self.root / "query-coverage").write_text("")
        code, _, errors = self.run_dev("coverage")
        self.assertNotEqual(code, 0)
        self.assertIn("no test below tests/tls", errors)

    def test_the_new_commands_install_no_more_than_they_need(self):
        for command in ("fuzz", "soak", "coverage"):
            (self.root / "installed").write_text("")
            self.fake_soak(0)
            self.run_dev(command)
            self.assertIn("libclang-rt-14-dev", self.installs()[0])
            self.assertNotIn("prometheus", self.installs()[0])
            self.assertEqual("redis-server" in self.installs()[0], command == "soak")

    # --- progress

    def test_progress_is_for_a_terminal(self):
        self.everything_is_installed()
        self.run_dev("test")
        for call in self.calls("bazel"):
            self.assertIn(" --noshow_progress ", call)
        try:
            ours, terminal = pty.openpty()
        except OSError as error:
            self.skipTest(f"no terminal here: {error}")
        self.run_dev("test", stderr=terminal)
        os.close(terminal)
        os.close(ours)
        self.assertEqual(len(self.calls("bazel")), 5)
        for call in self.calls("bazel"):
            self.assertNotIn("--noshow_progress", call)


if __name__ == "__main__":
    unittest.main()
