#!/usr/bin/env python3
"""Runs clang-tidy over sources, several at once, and remembers those that were clean.

usage: run_clang_tidy.py --generated FOLDER [--jobs N] FILE.cc ...

FOLDER holds the headers that protoc wrote. A file is checked again only when it, a header that it
reaches, a .clang-tidy above it or this program has changed: what was clean is kept in
.cache/clang-tidy by the digest of all those.
"""

import argparse
import concurrent.futures
import hashlib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache" / "clang-tidy"
TOOL = "clang-tidy-14"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def reached_files(source, folders):
    """The source and every file that it includes by a quoted path, directly or not."""
    found, waiting = {}, [source]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = path.read_bytes()
        for name in INCLUDE.findall(found[path]):
            candidates = [folder / name.decode() for folder in folders]
            waiting += [file for file in candidates if file.is_file()][:1]
    return found


def digest_of(source, folders):
    digest = hashlib.sha256()
    rules = [folder / ".clang-tidy" for folder in source.parents]
    fixed = {file for file in rules if file.is_file()} | {pathlib.Path(__file__).resolve()}
    files = reached_files(source, folders) | {path: path.read_bytes() for path in fixed}
    for path, data in sorted(files.items()):
        digest.update(f"{path.name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def check(source, folders):
    """Returns what clang-tidy finds in the file; an empty string if nothing."""
    mark = CACHE / digest_of(ROOT / source, folders)
    if mark.exists():
        return ""
    # Generated headers are others' code: found as the system's are, without warnings.
    command = [TOOL, "--quiet", source, "--", "-std=c++20", "-Wall", "-Wextra", "-I."]
    command += [f"-isystem{folder}" for folder in folders[1:]]
    run = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    if run.returncode == 0:
        mark.touch()
        return ""
    # "N warnings generated" on stderr counts those of system headers; only its errors matter.
    errors = [line for line in run.stderr.splitlines() if "warnings" not in line]
    return f"{run.stdout.strip()}\n" + "\n".join(errors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generated", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("sources", nargs="+")
    arguments = parser.parse_args()

    CACHE.mkdir(parents=True, exist_ok=True)
    folders = [ROOT, arguments.generated.resolve()]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = {pool.submit(check, source, folders): source for source in arguments.sources}
        for done in concurrent.futures.as_completed(runs):
            if text := done.result():
                bad += 1
                print(f"-- {runs[done]}\n{text}", flush=True)
    print(f"clang-tidy: {len(arguments.sources) - bad} files clean, {bad} with faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
