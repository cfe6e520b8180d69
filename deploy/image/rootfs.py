"""What an image holds: programs, the libraries that they load, and the bare folders of a root.

Everything is named one by one: there is no shell, no package manager and no set-user-id file,
because nothing puts one in.
"""

import dataclasses
import os
import re
import subprocess

# Who the programs run as. No other user exists in the image but root, who owns the files.
UID = 65532

# Where the dynamic loader looks without a cache or a path of its own; there is no cache inside.
_LOADER_FOLDERS = re.compile(r"^/usr/lib(64|/[a-z0-9_]+-linux-gnu)?$")
_LDD_LINE = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A folder (neither data nor target), a file or a symbolic link."""

    mode: int
    data: bytes | None = None
    target: str | None = None
    owner: int = 0


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _place(path):
    """Where a library stands in the image: its folder resolved, the name that loads it kept."""
    folder, name = os.path.split(path)
    folder = os.path.realpath(folder)
    if not _LOADER_FOLDERS.match(folder):
        raise SystemExit(f"{path}: the loader would not find it without a cache of its own")
    return f"{folder}/{name}"


def libraries_of(program):
    """Path in the image -> path here, for each library that the program loads, loader included."""
    # ldd runs the program's loader: only for programs that we have built ourselves.
    output = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    if "not found" in output:
        raise SystemExit(f"{program} lacks libraries:\n{output}")
    found = [match.group(1) for line in output.splitlines() if (match := _LDD_LINE.match(line))]
    if not found:
        raise SystemExit(f"{program}: ldd names no library:\n{output}")
    return {_place(path): os.path.realpath(path) for path in found}


def _skeleton():
    folder = Entry(0o755)
    entries = {path: folder for path in (
        "dev", "etc", "proc", "run", "sys", "usr", "usr/bin", "usr/lib", "usr/lib64", "usr/share",
        "var", "var/lib")}
    entries["tmp"] = Entry(0o1777)
    # The service's own state; a volume is mounted over it.
    entries["var/lib/handfast"] = Entry(0o700, owner=UID)
    entries["run/handfast"] = Entry(0o700, owner=UID)
    entries["lib"] = Entry(0o777, target="usr/lib")
    entries["lib64"] = Entry(0o777, target="usr/lib64")
    texts = {
        "etc/passwd": f"handfast:x:{UID}:{UID}::/var/lib/handfast:/nonexistent\n",
        "etc/group": f"handfast:x:{UID}:\n",
        # Names come from the cluster: first its hosts file, then its name server.
        "etc/nsswitch.conf": "hosts: files dns\n",
    }
    for path, text in texts.items():
        entries[path] = Entry(0o644, data=text.encode())
    return entries


def collect(programs):
    """(entries by path, library path in the image -> path here) for programs by their paths."""
    entries, libraries = _skeleton(), {}
    for program in programs:
        libraries.update(libraries_of(program))
        entries[f"usr/bin/{os.path.basename(program)}"] = Entry(0o755, data=_read(program))
    for inside, here in libraries.items():
        add_file(entries, inside.lstrip("/"), _read(here), 0o755)
    return entries, libraries


def add_file(entries, path, data, mode=0o644):
    """Adds a file, and the folders above it that are missing."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        entries.setdefault("/".join(parts[:depth]), Entry(0o755))
    entries[path] = Entry(mode, data=data)
