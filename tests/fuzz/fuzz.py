#!/usr/bin/env python3
"""Runs fuzz targets: a bounded slice in a test, or for real.

usage: fuzz.py slice --runs N --properties A,B PROGRAM CORPUS
       fuzz.py run --seconds N --programs FOLDER --keep FOLDER [TARGET...]

`slice` is repeatable: a fixed seed and a fixed number of inputs. It replays the corpus and third
parties' seeds (HANDFAST_VECTORS), and then breaks each property in turn, which the corpus must
show. `run` goes on for so many seconds, divided among the targets, keeps what it learnt, and goes
on to the next target where one fails; an input that broke it is kept beside what was learnt.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import seeds

CORPUS = pathlib.Path(os.path.realpath(__file__)).parent / "corpus"

# Longer than any message of a real handshake, and than two records.
LONGEST_INPUT = 70000
# An input that takes this long is a finding of its own (seconds).
SLOW_INPUT = 10
# A slice takes so many of the seeds: each costs a run, and the loop is for `run`.
SLICE_SEEDS = 300

REPLAYED = re.compile(r"(?:seed corpus: files:|replayed) (\d+)")


def environment(mutant=None):
    """The program's environment; with a mutant, that property is broken in it."""
    env = dict(os.environ)
    env.pop("HANDFAST_FUZZ_MUTANT", None)
    # Bazel sets them for a test.
    env.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1:strict_string_checks=1")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    if mutant:
        env["HANDFAST_FUZZ_MUTANT"] = mutant
    return env


def command(program, runs=None, seconds=None, artifacts=None, folders=()):
    """libFuzzer's command line. The first folder is where it writes what it learns."""
    line = [str(program), "-seed=1", f"-max_len={LONGEST_INPUT}", f"-timeout={SLOW_INPUT}",
            "-rss_limit_mb=2048", "-print_final_stats=1"]
    if runs is not None:
        line.append(f"-runs={runs}")
    if seconds is not None:
        line.append(f"-max_total_time={seconds}")
    if artifacts is not None:
        line.append(f"-artifact_prefix={artifacts}/")
    return line + [str(folder) for folder in folders]


def check_property(program, corpus, scratch, name):
    """The negative control: with the property broken, the corpus alone must show it."""
    done = subprocess.run(
        command(program, runs=0, artifacts=scratch, folders=[corpus]), env=environment(name),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0 or f"PROPERTY BROKEN: {name}\n".encode() not in done.stdout:
        sys.exit(f"{program}: {name} is broken on purpose, and no input of {corpus} shows it; "
                 "make the corpus anew: bazel run //tests/fuzz:make_corpus")
    print(f"{name}: a broken one is found")


def run_slice(options):
    corpus = pathlib.Path(options.corpus)
    own = len(list(corpus.iterdir()))
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as scratch:
        learnt, foreign = pathlib.Path(scratch) / "learnt", pathlib.Path(scratch) / "seeds"
        learnt.mkdir()
        vectors = os.environ.get("HANDFAST_VECTORS")
        count = seeds.write_seeds(corpus.name, vectors or "/nowhere", foreign, SLICE_SEEDS)
        print(f"{own} inputs of our own, {count} of third parties")
        done = subprocess.run(
            command(options.program, runs=options.runs, artifacts=scratch,
                    folders=[learnt, corpus] + ([foreign] if count else [])),
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", check=False)
        replayed = REPLAYED.search(done.stdout)
        if done.returncode != 0:
            sys.exit(f"{done.stdout}\n{options.program} failed: {done.returncode}")
        if not replayed or int(replayed.group(1)) < own + count:
            sys.exit(f"{done.stdout}\nnot every input was replayed")
        print(done.stdout.splitlines()[-1])
        for name in options.properties.split(","):
            check_property(options.program, corpus, scratch, name)


def targets():
    return sorted(path.name for path in CORPUS.iterdir() if path.is_dir())


def run_target(target, seconds, programs, keep):
    """True where nothing was found."""
    learnt, foreign = keep / target / "learnt", keep / target / "seeds"
    learnt.mkdir(parents=True, exist_ok=True)
    count = seeds.write_seeds(target, os.environ.get("HANDFAST_VECTORS") or "/nowhere", foreign)
    print(f"== fuzzing {target}: {seconds} s, {count} seeds of third parties", flush=True)
    done = subprocess.run(
        command(programs / target, seconds=seconds, artifacts=keep / target,
                folders=[learnt, CORPUS / target] + ([foreign] if count else [])),
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", check=False)
    log = keep / target / "log"
    log.write_text(done.stdout, encoding="utf-8")
    if done.returncode != 0:
        print(done.stdout[-6000:])
        print(f"== {target} FAILED; the input is in {keep / target}, all that was said in {log}")
        return False
    stats = dict(re.findall(r"stat::(\w+): +(\d+)", done.stdout))
    covered = re.findall(r"cov: (\d+)", done.stdout)
    print(f"== {target}: {stats.get('number_of_executed_units', '?')} inputs, "
          f"{covered[-1] if covered else '?'} edges, {len(list(learnt.iterdir()))} kept", flush=True)
    return True


def run_all(options):
    known = targets()
    wanted = options.targets or known
    for target in wanted:
        if target not in known:
            sys.exit(f"no such target: {target}; there are {', '.join(known)}")
    seconds = max(1, options.seconds // len(wanted))
    keep = pathlib.Path(options.keep).resolve()
    if not all([run_target(target, seconds, pathlib.Path(options.programs), keep)
                for target in wanted]):
        sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    slice_parser = commands.add_parser("slice")
    slice_parser.add_argument("--runs", type=int, required=True)
    slice_parser.add_argument("--properties", required=True)
    slice_parser.add_argument("program")
    slice_parser.add_argument("corpus")
    run_parser = commands.add_parser("run")
    run_parser.add_argument("--seconds", type=int, required=True)
    run_parser.add_argument("--programs", required=True)
    run_parser.add_argument("--keep", required=True)
    run_parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    if options.command == "slice":
        run_slice(options)
    else:
        run_all(options)


if __name__ == "__main__":
    main()
