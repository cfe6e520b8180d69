"""Says how a program falls short of the way we build: read from its headers with readelf."""

import re
import subprocess

_LANDING_PAD = b"\xf3\x0f\x1e\xfa"  # endbr64
# The start files bring a handful; each of our programs has thousands.
_FEW = 100


def _readelf(*arguments):
    return subprocess.run(["readelf", "--wide", *arguments], check=True, capture_output=True,
                          text=True, timeout=60).stdout


def _code(program):
    with open(program, "rb") as file:
        return file.read()


def faults(program):
    """What is missing or too much, one word each."""
    headers = _readelf("--file-header", "--program-headers", program)
    dynamic = _readelf("--dynamic", program)
    symbols = _readelf("--dyn-syms", program)
    stack = re.search(r"GNU_STACK.*?0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ (\w+)", headers)

    # The address space is laid out at random, and nothing in it that is data can be run.
    if "Type:                              DYN" not in headers or "Flags: NOW PIE" not in dynamic:
        yield "pie"
    if not stack or "E" in stack.group(1):
        yield "executable-stack"
    if re.search(r"LOAD .* RWE ", headers):
        yield "writable-code"
    # The table of imported functions is resolved at start, then read only.
    if "GNU_RELRO" not in headers:
        yield "relro"
    if "BIND_NOW" not in dynamic and "Flags: NOW" not in dynamic:
        yield "bind-now"
    # Libraries come from the system's folders alone.
    if re.search(r"\((RPATH|RUNPATH)\)", dynamic):
        yield "rpath"
    if "__stack_chk_fail" not in symbols:
        yield "stack-protector"
    if not re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", "")):
        yield "fortify"
    # Control-flow enforcement: whatever can be called through a pointer begins with a landing pad.
    # (The note by which the loader would switch it on cannot be asked for: Debian 12's own start
    # files lack it, and a program has it only where all its parts do.)
    if "X86-64" in headers and _code(program).count(_LANDING_PAD) < _FEW:
        yield "cet"
