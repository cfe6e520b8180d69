"""The laws of the house that a program can check, one function a rule.

A rule of one file takes (path, text) and yields what is wrong, as `LINE: words`; a rule of the
tree takes a `Tree`. Paths are relative to the root, with forward slashes. tidy_test.py runs the
rules, and feeds each a sample that it must refuse.
"""

import collections
import hashlib
import os
import pathlib
import re
import subprocess

# --- the tree ------------------------------------------------------------------------------

SKIPPED_FOLDERS = re.compile(r"^(\.git|\.cache|out|bazel-.*|__pycache__)$")
SOURCE = re.compile(r"\.(h|cc|c|py|proto|bzl|sh)$|^(dev|\.ci/run)$")
CPP = re.compile(r"\.(h|cc)$")


class Tree:
    """The files of the project: what git tracks, and new files that it does not ignore."""

    def __init__(self, root, paths=None):
        self.root = pathlib.Path(root)
        self.paths = sorted(paths if paths is not None else self._find())

    def _find(self):
        # A checkout may belong to another user than the one who runs the tests.
        command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard"]
        try:
            listed = subprocess.run(command, cwd=self.root, check=True, capture_output=True).stdout
            names = listed.decode().split("\0")
            return {name for name in names if name and (self.root / name).is_file()}
        except (OSError, subprocess.CalledProcessError):
            return set(self._walk())  # an unpacked archive has no .git

    def _walk(self):
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if not SKIPPED_FOLDERS.match(name)]
            for file in files:
                yield (pathlib.Path(folder) / file).relative_to(self.root).as_posix()

    def read(self, path):
        """The text of a file; None if it is not text."""
        data = (self.root / path).read_bytes()
        try:
            return None if b"\0" in data else data.decode("utf-8")
        except UnicodeDecodeError:
            return None


def package_of(path):
    """`tls/base` of tls/base/x.h; `server` of server/main.cc; `tests` of all below tests/."""
    parts = path.split("/")[:-1]
    return "tests" if parts[:1] == ["tests"] else "/".join(parts[:2])


def _numbered(text):
    return enumerate(text.splitlines(), start=1)


def _matching_lines(text, pattern, words):
    for number, line in _numbered(text):
        if match := pattern.search(line):
            yield f"{number}: {words.format(match.group(0).strip())}"


# --- who may include whom ------------------------------------------------------------------

# Between packages of tls/, and from there to nowhere: the protocol belongs to neither side.
TLS_BASE = {"tls/base"}
TLS_BELOW_ENGINE = TLS_BASE | {"tls/wire", "tls/crypto"}
TLS_ALL = TLS_BELOW_ENGINE | {"tls/engine", "tls/record", "tls/connection"}

# What lives side by side in server/ and meets only in rpc/ and in main.
SERVER_PARTS = {
    "server/access", "server/config", "server/connections", "server/custody",
    "server/handshakes", "server/observe", "server/sessions", "server/store", "server/trust",
}
RPC_SEES = {"server/access", "server/connections", "server/custody", "server/handshakes",
            "server/observe", "server/sessions"}

# package -> the packages that it may include, besides itself.
ARROWS = {
    "tls/base": set(),
    "tls/wire": TLS_BASE,
    "tls/crypto": TLS_BASE,
    "tls/engine": TLS_BELOW_ENGINE,
    "tls/record": TLS_BELOW_ENGINE,
    "tls/connection": TLS_ALL,
    **{part: TLS_ALL | {"server/store"} for part in SERVER_PARTS},
    "server/store": TLS_BASE | {"tls/crypto"},
    "server/rpc": TLS_ALL | RPC_SEES,
    "server": TLS_ALL | SERVER_PARTS | {"server/rpc"},
    # It protects records with released keys; of the protocol it needs no more.
    "client/core": {"tls/base", "tls/wire", "tls/record"},
    "client/cli": {"client/core", "tls/base"},
    # It routes by the SNI of the first message, so it parses that.
    "client/edge": {"client/core", "tls/base", "tls/wire"},
    # It loads into other people's processes: nothing but itself.
    "client/provider": set(),
    "client/examples": set(),
}

# Headers of server/ that its other packages may include: those named as interfaces, and these.
INTERFACE = re.compile(r"^server/\w+/\w+_interface\.h$")
SHARED_HEADERS = {
    "server/observe/log.h": "everything that runs can have something to say",
}

# Folders whose files are included by their path from the root.
ROOTS = ("tls", "server", "client", "tests")

SERVER_AND_CLIENT = SERVER_PARTS | {
    "server", "server/rpc", "client/core", "client/cli", "client/edge"}
PROTO_USERS = {"server", "server/config", "server/rpc", "client/core", "client/cli", "client/edge"}
GRPC_USERS = {"server", "server/rpc", "client/core"}

# (what an include looks like, the packages that may have it). The first that fits decides.
# tests/ is free, and needs no mention.
THIRD_PARTIES = [
    (re.compile(r"openssl/(ssl|tls1|ssl3|dtls1)\.h$"), set()),
    (re.compile(r"openssl/"), {"tls/crypto", "client/provider"}),
    (re.compile(r".*\.grpc\.pb\.h$"), GRPC_USERS),
    (re.compile(r"grpc(pp|\+\+)?/"), GRPC_USERS),
    (re.compile(r"(handfast/v1|google/rpc|google/protobuf)/"), PROTO_USERS),
    (re.compile(r"absl/"), SERVER_AND_CLIENT),
    (re.compile(r"prometheus/"), {"server", "server/observe", "client/edge"}),
    (re.compile(r"civetweb\.h|CivetServer\.h"), {"server", "server/observe", "client/edge"}),
    (re.compile(r"spdlog/"), {"server", "server/observe", "client/core", "client/edge"}),
    (re.compile(r"yaml-cpp/"), {"server/config", "client/edge"}),
    (re.compile(r"sqlite3\.h"), {"server/custody"}),
    (re.compile(r"hiredis/"), {"server/store"}),
    (re.compile(r"seccomp\.h"), {"server"}),
    (re.compile(r"CLI/"), {"server", "client/cli", "client/edge"}),
    (re.compile(r"(gtest|gmock|benchmark)/"), set()),
]

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def _is_allowed_own(package, included):
    target = package_of(included)
    if target == package or target in ARROWS.get(package, set()):
        return True
    in_server = package in SERVER_PARTS or package == "server/rpc"
    return in_server and bool(INTERFACE.match(included) or included in SHARED_HEADERS)


def include_follows_arrows(path, text):
    """architecture.md, Folders: an arrow lists all that a package may include."""
    package = package_of(path)
    if not CPP.search(path) or package == "tests":
        return
    for number, line in _numbered(text):
        if not (match := _INCLUDE.match(line)):
            continue
        quote, included = match.groups()
        if included.split("/")[0] in ROOTS:
            if package not in ARROWS:
                yield f"{number}: {package} is no package of the house (see ARROWS in rules.py)"
            elif not _is_allowed_own(package, included):
                yield f"{number}: {package} may not include {included}"
            continue
        for pattern, packages in THIRD_PARTIES:
            if pattern.match(included):
                if package not in packages:
                    yield f"{number}: {package} may not include {included}"
                break
        else:
            if quote == '"':
                yield f"{number}: include {included} by its path from the root"


def only_tests_link_libssl(path, text):
    """The product's TLS is its own: libssl is for peers and benchmarks."""
    if path.startswith("tests/") or not re.search(r"(^|/)BUILD$|\.bzl$", path):
        return
    yield from _matching_lines(text, re.compile(r"@system//:ssl\b|-lssl\b"), "{} outside tests/")


# --- secrets and output --------------------------------------------------------------------

WHOLE_MESSAGE = re.compile(
    r"\b(Short|Utf8)?DebugString\b|\b(Short|Utf8)Format\b|\bTextFormat::Print\w*"
    r"|\b(MessageToJson|BinaryToJson)(String|Stream)\b")
# Files that may print messages whole, each with its reason.
WHOLE_MESSAGES = {
    "client/cli/output.cc": "--output json prints keys and credentials, which hold no secret",
}


def no_debug_string(path, text):
    """A message printed whole prints its secrets."""
    if CPP.search(path) and path.startswith(("server/", "client/")) and path not in WHOLE_MESSAGES:
        yield from _matching_lines(text, WHOLE_MESSAGE, "{} prints whatever the message holds")


def server_logs_and_does_not_print(path, text):
    """Lines outside the log have no level, no request id and no limit."""
    if CPP.search(path) and path.startswith("server/") and path != "server/main.cc":
        pattern = re.compile(r"\bstd::(cout|cerr|clog)\b|\b(std::)?v?f?printf\s*\(|\bf?puts\s*\(")
        yield from _matching_lines(text, pattern, "{} in server/: use the log")


# --- the contract --------------------------------------------------------------------------

CONTRACT = re.compile(r"^proto/handfast/.*\.proto$")
COMMENT = re.compile(r"^\s*//.*\w")
# A block that has a name, or a field or an enum's value with its number.
DECLARATION = re.compile(
    r"^\s*(?!option\b|reserved\b|extensions\b)"
    r"(?:(?:service|rpc|message|enum|oneof)\s+(?P<block>\w+)"
    r"|(?:(?:repeated|optional|required)\s+)?(?:(?:map\s*<[^>]*>|[\w.]+)\s+)?"
    r"(?P<member>\w+)\s*=\s*-?\w+\s*[;\[])")
UNSPECIFIED = re.compile(r"^\s*\w*UNSPECIFIED\s*=\s*0\s*;")
SECOND_IN_LINE = re.compile(r"[{;]\s*(?!//)[^\s}]")


def proto_comments(path, text):
    """api.md: each service, RPC, message and field has a comment that says what it means."""
    if not CONTRACT.search(path):
        return
    above = ""
    for number, line in _numbered(text):
        if (match := DECLARATION.match(line)) and not UNSPECIFIED.match(line):
            name = match.group("block") or match.group("member")
            if not COMMENT.match(above):
                yield f"{number}: {name} has no comment above it"
            if SECOND_IN_LINE.search(line):
                yield f"{number}: what follows {name} needs a line, and a comment, of its own"
        above = line


# --- manner --------------------------------------------------------------------------------

LONG_FILE = 400
LONGEST_FILE = 600

# Files that may be longer than LONGEST_FILE, each with its reason.
LONG_FILES = {}


def file_is_not_too_long(path, text):
    """architecture.md, Manner: 400 lines are long, 600 need a reason."""
    if SOURCE.search(path) and path not in LONG_FILES:
        lines = len(text.splitlines())
        if lines > LONGEST_FILE:
            yield f"1: {lines} lines; split it, or give a reason in LONG_FILES"


def long_files(tree):
    """The files worth a look: over LONG_FILE lines, and not forbidden."""
    for path in tree.paths:
        if SOURCE.search(path) and (text := tree.read(path)) is not None:
            if (lines := len(text.splitlines())) > LONG_FILE:
                yield f"{path}: {lines} lines"


def name_says_what_it_is(path, text):
    """architecture.md, Manner: words that would fit any class say nothing of this one."""
    if CPP.search(path) and not path.startswith("tests/"):
        pattern = re.compile(r"\b(class|struct)\s+\w*(Manager|Helpers?|Utils?|Handler|Impl)\b")
        yield from _matching_lines(text, pattern, "{}: name it by what it is")


def todo_has_text(path, text):
    """A bare mark tells nobody what is missing."""
    mark = "TO" + "DO"
    if SOURCE.search(path):
        pattern = re.compile(rf"\b{mark}\b(?!(\([^)]+\))?: *\S+ \S+)")
        yield from _matching_lines(text, pattern, "{} without words: say what is missing")


def no_path_of_one_machine(path, text):
    """A path of the author's machine is of no use on another's."""
    pattern = re.compile(r"(?<![\w.$})-])/(wo" r"rk|ho" r"me/\w+)/\S*")
    yield from _matching_lines(text, pattern, "{} exists on one machine only")


def no_trailing_space(path, text):
    """Spaces at the end of a line, and a missing newline at the end of a file."""
    if SOURCE.search(path) or path.endswith((".md", ".yaml", ".bazelrc", "BUILD", "WORKSPACE")):
        yield from _matching_lines(text, re.compile(r"[ \t]+$"), "space at the end of the line{}")
        if text and not text.endswith("\n"):
            yield f"{len(text.splitlines())}: no newline at the end"


FILE_RULES = [
    include_follows_arrows,
    only_tests_link_libssl,
    no_debug_string,
    server_logs_and_does_not_print,
    proto_comments,
    file_is_not_too_long,
    name_says_what_it_is,
    todo_has_text,
    no_path_of_one_machine,
    no_trailing_space,
]


# --- rules of the tree ---------------------------------------------------------------------

README_LINES = 60
README_ROOTS = ("tls", "server", "client", "proto", "deploy", "bazel")
# The stubs are described in bazel/README.md; each is a handful of lines.
README_EXEMPT = re.compile(r"^bazel/stubs(/|$)")


def _needs_readme(path):
    """The folder that must have a README because of this file, if any."""
    folder, _, name = path.rpartition("/")
    parts = folder.split("/")
    if parts[0] == "tests":
        return "/".join(parts[:2]) if len(parts) > 1 else None
    if parts[0] in README_ROOTS and not README_EXEMPT.match(folder):
        return folder if name not in ("BUILD", "README.md") else None
    return None


def _undescribed_mirrors(tree):
    """Folders below tests/*/ that neither have a README nor are named in tests/*/README.md."""
    for folder in sorted({"/".join(path.split("/")[:3]) for path in tree.paths
                          if path.startswith("tests/") and path.count("/") > 2}):
        parent, _, name = folder.rpartition("/")
        readme = f"{parent}/README.md"
        if f"{folder}/README.md" not in tree.paths and readme in tree.paths:
            if not re.search(rf"`{re.escape(name)}[/`]", tree.read(readme)):
                yield f"{readme}: does not name {name}/, which has no README of its own"


def folder_has_readme(tree):
    """CONTRIBUTING.md, Manner: a README of a page or less in each folder. Below tests/ the first
    level must have one; it names the folders under it that do without."""
    folders = {folder for path in tree.paths if (folder := _needs_readme(path))}
    for folder in sorted(folders):
        if f"{folder}/README.md" not in tree.paths:
            yield f"{folder}/README.md: missing"
    for readme in (path for path in tree.paths if path.endswith("/README.md")):
        if (lines := len(tree.read(readme).splitlines())) > README_LINES:
            yield f"{readme}: {lines} lines, more than {README_LINES}"
    yield from _undescribed_mirrors(tree)


# UPPER_SNAKE_CASE in quotes, as code writes a reason, and as the services' comments list it.
REASON = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"')
REASON_IN_LIST = re.compile(r"^//     ([A-Z][A-Z0-9_]+) +\S")


def _arguments(text, name):
    """The text between the parentheses of each call of `name`."""
    for call in re.finditer(rf"\b{name}\(", text):
        depth, end = 1, call.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[call.end():end]


def _reasons(text):
    """What a file of server/ may set as a status's reason: capitals in a call of WithReason, and,
    beside such calls, capitals joined by '_' (a constant, an argument that is passed on)."""
    if "WithReason(" not in text and "InvalidField(" not in text:
        return set()
    found = {reason for reason in REASON.findall(text) if "_" in reason}
    for arguments in _arguments(text, "WithReason"):
        found.update(REASON.findall(arguments))
    return found


def reasons_are_in_the_contract(tree):
    """api.md: ErrorInfo has stable reasons; a caller finds each in a comment of the contract."""
    set_by = {}
    for path in tree.paths:
        if CPP.search(path) and path.startswith("server/"):
            for reason in _reasons(tree.read(path)):
                set_by.setdefault(reason, path)
    known = set()
    for path in (path for path in tree.paths if CONTRACT.search(path)):
        for number, line in _numbered(tree.read(path)):
            if line.lstrip().startswith("//"):
                known.update(re.findall(r"\w+", line))
            if (listed := REASON_IN_LIST.match(line)) and listed.group(1) not in set_by:
                yield f"{path}:{number}: nothing in server/ sets {listed.group(1)}"
    for reason, path in sorted(set_by.items()):
        if reason not in known:
            yield f"{path}: {reason} stands in no comment of a .proto"


VECTOR_FILE = re.compile(r"\.(vec|rsp)$|(^|/)wycheproof/", re.IGNORECASE)
VECTOR_TEXT = re.compile(r'"numberOfTests"\s*:')
# Under this size equal files mean nothing: an empty BUILD file equals any other.
SMALLEST_VECTOR = 200


def _sizes_and_paths(folder):
    sizes = collections.defaultdict(list)
    for parent, _, files in os.walk(folder, followlinks=True):
        for file in files:
            path = pathlib.Path(parent) / file
            if path.is_file():
                sizes[path.stat().st_size].append(path)
    return sizes


def no_vector_files(tree, vectors=None):
    """Third parties' vectors stay outside, each under its own licence; tests read them there."""
    known = _sizes_and_paths(vectors) if vectors else {}
    for path in tree.paths:
        if VECTOR_FILE.search(path):
            yield f"{path}: a third party's vector file by its name"
            continue
        if path.endswith(".json") and VECTOR_TEXT.search(tree.read(path) or ""):
            yield f"{path}: a third party's vector file by its content"
            continue
        data = (tree.root / path).read_bytes()
        if len(data) < SMALLEST_VECTOR:
            continue
        digest = hashlib.sha256(data).digest()
        for other in known.get(len(data), []):
            if hashlib.sha256(other.read_bytes()).digest() == digest:
                yield f"{path}: a copy of {other.name}"
                break


ATTACKS = range(1, 28)  # the threats T1 to T27 of the protocol
QUOTED_NAME = re.compile(r"`([^`\n]+)`")
TEST_NAME = re.compile(r"[A-Z]\w*\.(?:\w+\*?|\*)")
FILE_NAME = re.compile(r"[\w/]+\.(?:cc|h|md|txt)")
TEST_MACRO = re.compile(r"^(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)


def _matches(name, names):
    return any(known.startswith(name[:-1]) for known in names) if name[-1] == "*" else name in names


def attacks_are_answered(tree):
    """security.md: each attack has a section in an ATTACKS.md, which names the tests that show the
    defence: tests and files that are there."""
    answers = [path for path in tree.paths if path.endswith("/ATTACKS.md")]
    answered = {int(number) for path in answers
                for number in re.findall(r"^## T(\d+): ", tree.read(path), re.MULTILINE)}
    for number in sorted(set(ATTACKS) - answered):
        yield f"T{number} has no section in an ATTACKS.md"
    tests = {f"{suite}.{test}" for path in tree.paths if path.endswith("_test.cc")
             for suite, test in TEST_MACRO.findall(tree.read(path))}
    files = set(tree.paths) | {path.rpartition("/")[2] for path in tree.paths}
    for path in answers:
        folder = path.rpartition("/")[0]
        if "`ATTACKS.md`" not in tree.read(f"{folder}/README.md"):
            yield f"{folder}/README.md: does not name its ATTACKS.md"
        for name in QUOTED_NAME.findall(tree.read(path)):
            if FILE_NAME.fullmatch(name) and name not in files:
                yield f"{path}: there is no file {name}"
            elif TEST_NAME.fullmatch(name) and not FILE_NAME.fullmatch(name) and not _matches(
                    name, tests):
                yield f"{path}: there is no test {name}"


TREE_RULES = [folder_has_readme, reasons_are_in_the_contract, no_vector_files,
              attacks_are_answered]


# --- figures, printed and not judged -------------------------------------------------------

RFC_QUOTE = re.compile(r'// RFC (\d+) §([\w.]+): "')


def count_rfc_quotes(tree):
    """How many requirements are quoted above the code that keeps them, by RFC."""
    counts = collections.Counter()
    for path in tree.paths:
        if CPP.search(path) and not path.startswith("tests/"):
            counts.update(match.group(1) for match in RFC_QUOTE.finditer(tree.read(path) or ""))
    return counts
