#!/usr/bin/env python3
"""Which requirements of the RFCs stand quoted above the code that keeps them, which tests are
theirs, and which stand nowhere. It does not judge whether the code keeps what it quotes: tests do.

Prints totals, and quotes with a MUST that is in no requirement of their section; with --write also
writes tls/rfc-coverage.md. Out of the RFCs' texts ($HANDFAST_VECTORS/rfc, outside the tree),
--verify finds all quotes that differ, and --update-requirements makes rfc_requirements.txt.
"""

import argparse
import base64
import collections
import hashlib
import itertools
import os
import pathlib
import re
import sys

HERE = pathlib.Path(os.path.realpath(__file__)).parent  # under Bazel this file is a link
sys.path.insert(0, str(HERE))
import rules  # noqa: E402  (the path is set just above)

ROOT = HERE.parent.parent
REPORT = "tls/rfc-coverage.md"
REQUIREMENTS = "tests/tidy/rfc_requirements.txt"
NOT_APPLICABLE = "tests/tidy/rfc_not_applicable.txt"

FOLLOWED = ("8446", "5246")  # read sentence by sentence; of others only what is quoted is listed
SHINGLE = 6  # words in a row that must agree before a quote means a sentence
KEPT_WORDS = 12  # of a requirement, in rfc_requirements.txt
FEWEST_WORDS = 3  # less than that between quotation marks is a name
BRANCH_LINES = 12  # below a quote, in which its Reason is looked for
MOST_TESTS = 3  # in a row of the report
LONGEST_QUOTE = 110

Quote = collections.namedtuple("Quote", "rfc section text file reasons")
Test = collections.namedtuple("Test", "file sections reasons")
# `words`: the first KEPT_WORDS, and "(2)" where the section has two that begin so.
Requirement = collections.namedtuple("Requirement", "rfc section words digests")
# `rows`: (RFC, section, quote, files, tests), one for each different quote. `open`: requirements
# that are neither quoted nor set `aside`. `strays`: quotes with a MUST that is in no requirement.
# `stale`: lines of NOT_APPLICABLE that have no reason, or set aside what is quoted or unknown.
Coverage = collections.namedtuple("Coverage", "rows open aside strays stale")

MUST = re.compile(r"\b(MUST|SHALL|REQUIRED)\b")
GAP = re.compile(r"\s*\[\.\.\.\]\s*")
# A full stop that ends no abbreviation, then two spaces or a capital.
SENTENCE_END = re.compile(r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bcf\.)(?<!\bal\.)(?<=[.!?])"
                          r"([\"')\]]*)(?:\s{2,}|\s+(?=[\"(]?[A-Z]))")


def words_of(text):
    return re.findall(r"\w+", text)


def shingles(text):
    """A digest of four characters for each run of SHINGLE words; of all words, where they are
    fewer. What stands in a sentence has digests that stand in the sentence's."""
    words = words_of(text.lower())
    runs = (words[at:at + SHINGLE] for at in range(max(1, len(words) - SHINGLE + 1)))
    hashes = (hashlib.sha256(" ".join(run).encode()).digest()[:3] for run in runs)
    return " ".join(base64.b64encode(first).decode() for first in hashes)


def sentences_of(paragraph):
    marked = SENTENCE_END.sub(lambda match: match.group(1) + "\n", paragraph)
    return [" ".join(sentence.split()) for sentence in marked.split("\n") if sentence.strip()]


# --- quotes in the code --------------------------------------------------------------------

REFERENCE = re.compile(r"RFC (\d+)|§((?:[A-Z]|\d+)(?:\.\d+)*)")
COMMENT = re.compile(r"^\s*//+ ?")
REASON = re.compile(r"\bReason::(k(?!InternalError\b)\w+)")  # that one says nothing of the peer


def comment_blocks(text):
    """(text, the lines below it) of each run of comment lines."""
    lines, end = text.splitlines(), 0
    for is_comment, run in itertools.groupby(lines, lambda line: bool(COMMENT.match(line))):
        block = list(run)
        end += len(block)
        if is_comment:
            yield " ".join(COMMENT.sub("", line).strip() for line in block), lines[end:]


def quoted_parts(block):
    """(start, text) of what stands in quotation marks; marks inside it belong to it."""
    depth = start = 0
    opening = -1
    for at in (match.start() for match in re.finditer('"', block)):
        after_space = at == 0 or block[at - 1] in " (" or opening == at - 1
        if after_space and block[at + 1:at + 2].strip():
            start = start if depth else at + 1
            opening, depth = at, depth + 1
        elif depth:
            depth -= 1
            if not depth:
                yield start, block[start:at]


def references(block):
    """(start, RFC, section): a § belongs to the RFC that was named last."""
    rfc = None
    for match in REFERENCE.finditer(block):
        rfc = match.group(1) or rfc
        if rfc and match.group(2):
            yield match.start(), rfc, match.group(2)


def reasons_below(lines):
    """What the branch below a quote gives: the Reasons of the first statement that has some."""
    found = []
    for line in lines[:BRANCH_LINES]:
        if line.startswith("}") or "// RFC " in line or (found and found[-1].endswith(";")):
            break
        found += [line] if found or REASON.search(line) else []
    return frozenset(REASON.findall(" ".join(found)))


def parse_quotes(path, text):
    """The quotes of a file. Each is of the section that its comment named last before it."""
    for block, below in comment_blocks(text):
        for start, quote in quoted_parts(block):
            before = [named for named in references(block) if named[0] < start]
            if before and len(words_of(quote)) >= FEWEST_WORDS:
                yield Quote(*before[-1][1:], " ".join(quote.split()), path, reasons_below(below))


def pieces_of(quote):
    """A quote, cut at its gaps and at the ends of sentences."""
    return [piece for fragment in GAP.split(quote) for piece in sentences_of(fragment)]


# --- tests ---------------------------------------------------------------------------------

TEST_FILE = re.compile(r"^tests/.*_test\.cc$")
ROW_OF_TESTS = re.compile(r'"(RFC \d+ §[^:"]+): ')


def parse_test(path, text):
    """The sections that a test's comments, or the rows of its tables, name; and its Reasons."""
    blocks = [block for block, _ in comment_blocks(text)] + ROW_OF_TESTS.findall(text)
    sections = frozenset(named[1:] for block in blocks for named in references(block))
    return Test(path, sections, frozenset(REASON.findall(text)))


def tests_of(section, reasons, tests):
    """(file, "") where the section is named, then (file, Reason) where only that is shared."""
    found = []
    for test in tests:
        named, shared = section in test.sections, sorted(reasons & test.reasons)
        if named or shared:
            elsewhere = not test.file.startswith("tests/tls/")
            found.append((not named, elsewhere, not shared, test.file, "" if named else shared[0]))
    return [entry[3:] for entry in sorted(found)][:MOST_TESTS]


# --- the RFCs' texts -----------------------------------------------------------------------

PAGE_BREAK = re.compile(r"\n*[^\n]*\[Page \d+\]\n\f?\n?(?:RFC \d+ [^\n]*\n)?\n*")
HEADING = re.compile(r"^(?:Appendix )?((?:\d+|[A-Z])(?:\.\d+)*)\.?\s+[A-Z\"0-9]")
# A line of the presentation language, of a figure, or of a table.
NO_PROSE = re.compile(r"[;{}]\s*$|^\s*[{}|+*]|\*/|-->|<--|--{2,}|={3,}|\|\s*$|\.{4,}|\w;?\s{3,}\S"
                      r"|^\s{16,}")
ITEM = re.compile(r"^\s+(?:-|\*|o|\d+\.|\(\d+\))\s+\S")


def unpaged(text):
    """The text without the feet and heads of its pages; a sentence goes on over the break."""
    joined = ""
    for page in PAGE_BREAK.split(text.replace("\r", "")):
        ended = re.search(r"[.:;!?+|}][\"')]*\s*$", joined) or HEADING.match(page)
        joined += ("\n\n" if ended else "\n") + page.rstrip("\n")
    return joined


def paragraphs(text):
    """(section, lines) of each paragraph; the items of a list are paragraphs of their own."""
    section, lines = "", []
    for line in unpaged(text).split("\n") + [""]:
        heading = HEADING.match(line)
        if lines and (heading or not line.strip() or ITEM.match(line)):
            yield section, lines
            lines = []
        if heading:
            section = heading.group(1)
        elif line.strip():
            lines.append(line)


def joined_lines(lines):
    """As one line; a sentence that ended with its line is set off by two spaces."""
    return "".join(line.strip() + ("  " if re.search(r"[.!?][\"')\]]*$", line) else " ")
                   for line in lines).strip()


def rfc_sentences(text):
    """(section, sentence) of an RFC's prose."""
    return [(section, sentence) for section, lines in paragraphs(text)
            if section and 2 * sum(bool(NO_PROSE.search(line)) for line in lines) <= len(lines)
            for sentence in sentences_of(joined_lines(lines))]


def rfc_text(rfc):
    """The text of an RFC, or None."""
    folder = pathlib.Path(os.environ.get("HANDFAST_VECTORS") or ROOT.parent / "shared/vectors")
    path = folder / f"rfc/rfc{rfc}.txt"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def differing_quotes(quotes, text_of=rfc_text):
    """Quotes whose fragments do not stand, in this order, in their section of the RFC's text."""
    for rfc in sorted({quote.rfc for quote in quotes if text_of(quote.rfc) is not None}):
        sections = collections.defaultdict(str)
        for section, lines in paragraphs(text_of(rfc)):
            sections[section] += " ".join(words_of(joined_lines(lines).lower())) + " "
        for quote in (quote for quote in quotes if quote.rfc == rfc):
            fragments = (" ".join(words_of(part.lower())) for part in GAP.split(quote.text))
            pattern = r"\b.*\b".join(filter(None, fragments))
            if not re.search(rf"\b{pattern}\b", sections[quote.section]):
                yield quote


REQUIREMENTS_HEAD = "# Written by `rfc_coverage.py --update-requirements`; see README.md.\n"


def requirements_of(rfc, text):
    """The sentences of an RFC that require something, each once a section."""
    found, beginnings = {}, collections.Counter()
    for section, sentence in rfc_sentences(text):
        digests = shingles(sentence)
        if MUST.search(sentence) and (section, digests) not in found:
            words = " ".join(words_of(sentence)[:KEPT_WORDS])
            beginnings[section, words] += 1
            if (count := beginnings[section, words]) > 1:
                words += f" ({count})"
            found[section, digests] = Requirement(rfc, section, words, digests)
    return list(found.values())


def fields_of(text):
    """(RFC, section, field, field) of each line `RFC §SECTION | FIELD | FIELD`."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            place, first, second = line.split(" | ")
            yield (*place.split(" §"), first, second)


def written_requirements(text_of=rfc_text):
    """The text of rfc_requirements.txt, out of the RFCs' own."""
    found = [requirement for rfc in FOLLOWED for requirement in requirements_of(rfc, text_of(rfc))]
    return REQUIREMENTS_HEAD + "".join(
        f"{r.rfc} §{r.section} | {r.words} | {r.digests}\n" for r in found)


def match_quotes(quotes, requirements):
    """(the requirements that are quoted, the quotes with a MUST that is in none). Where several
    sentences hold a piece of a quote, it means those that hold most of its pieces."""
    found, strays = set(), []
    for quote in quotes:
        near = [r for r in requirements if r[:2] == quote[:2]]
        meant = {}
        for piece in pieces_of(quote.text):
            digests = shingles(piece)
            meant[piece] = [r for r in near if digests in r.digests or r.digests in digests]
        counts = collections.Counter(r for held in meant.values() for r in held)
        for piece, held in meant.items():
            found.update(r for r in held if counts[r] == max(counts[other] for other in held))
            long = len(words_of(piece)) >= SHINGLE
            if not held and long and MUST.search(piece) and quote.rfc in FOLLOWED:
                strays.append(quote)
    return found, strays


# --- the report ----------------------------------------------------------------------------


def in_order(key):
    """Sorts (RFC, section, quote) as the RFCs do: §9 before §10, and that before §A."""
    return int(key[0]), [(p.isalpha(), p.rjust(3)) for p in key[1].split(".")], key[2]


def rows_of(quotes, tests):
    """One row for each different quote, wherever it stands."""
    same = collections.defaultdict(list)
    for quote in quotes:
        same[quote[:3]].append(quote)
    for key in sorted(same, key=in_order):
        reasons = frozenset().union(*(quote.reasons for quote in same[key]))
        files = sorted({quote.file for quote in same[key]})
        yield (*key, files, tests_of(key[:2], reasons, tests))


def quotes_of(tree):
    """The quotes of all of tls/."""
    return [quote for path in tree.paths if path.startswith("tls/") and rules.CPP.search(path)
            for quote in parse_quotes(path, tree.read(path) or "")]


def coverage_of(tree):
    quotes = quotes_of(tree)
    requirements = [Requirement(*fields) for fields in fields_of(tree.read(REQUIREMENTS))]
    tests = [parse_test(path, tree.read(path)) for path in tree.paths if TEST_FILE.match(path)]
    quoted, strays = match_quotes(quotes, requirements)
    because = {line[:3]: line[3].strip() for line in fields_of(tree.read(NOT_APPLICABLE))}
    still = {r[:3]: r for r in requirements if r not in quoted}
    return Coverage(list(rows_of(quotes, tests)),
                    [r for key, r in still.items() if not because.get(key)],
                    [r for key, r in still.items() if because.get(key)], strays,
                    [key for key, reason in because.items() if key not in still or not reason])


TOTALS = ("RFC", "quotes", "a test names the section", "a test names the Reason", "no test",
          "not found in the section", "open", "not applicable")


def totals(coverage):
    for rfc in (*FOLLOWED, "others"):
        tests = [row[4] for row in coverage.rows
                 if row[0] == rfc or (rfc == "others" and row[0] not in FOLLOWED)]
        named = sum(bool(found) and not found[0][1] for found in tests)
        none = tests.count([])
        yield (rfc, len(tests), named, len(tests) - named - none, none,
               *(sum(one.rfc == rfc for one in some)
                 for some in (coverage.strays, coverage.open, coverage.aside)))


def cell(text):
    return re.sub(r"([|<*_`\[\]\\])", r"\\\1", text)


def table(title, *rows):
    lines = [f"| {' | '.join(map(str, row))} |\n" for row in rows]
    return "".join([title, lines[0], "|" + "---|" * len(rows[0]) + "\n", *lines[1:]])


def quote_row(row, strays):
    rfc, section, text, files, tests = row
    quote = text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
    missing = "(not found in this section) " if row[:3] in {stray[:3] for stray in strays} else ""
    place = f"§{section}" if rfc in FOLLOWED else f"RFC {rfc} §{section}"
    named = [f"`{file}`" + (f" ({reason})" if reason else "") for file, reason in tests]
    return (missing + cell(quote), place, ", ".join(f"`{file}`" for file in files),
            ", ".join(named) or "none")


REPORT_HEAD = """\
# What of the RFCs tls/ quotes, and what it does not

Written by `./dev fmt`; `tests/tidy/README.md` says how. A *quote* stands in the code, above the
branch that keeps it. A *test* is a file that names the same section; or, where a name follows it,
one that names only the Reason of that branch, and may have been written for another sentence.
*Open* is a sentence with MUST, SHALL or REQUIRED that no quote holds and that is not set aside in
`tests/tidy/rfc_not_applicable.txt`: the code may keep it without saying so, or not at all. It
stands here by its first words.

"""
COLUMNS = ("requirement", "section", "code", "test")


def markdown(coverage):
    rows = [(row[0], quote_row(row, coverage.strays)) for row in coverage.rows]
    text = table(REPORT_HEAD, TOTALS, *totals(coverage))
    for one in FOLLOWED:
        text += table(f"\n## RFC {one}\n\n", COLUMNS, *(row for rfc, row in rows if rfc == one))
    text += table("\n## Other RFCs\n\n", COLUMNS,
                  *(row for rfc, row in rows if rfc not in FOLLOWED))
    for one in FOLLOWED:
        text += table(f"\n## Open: RFC {one}\n\n", ("section", "requirement"), *(
            (f"§{r.section}", cell(r.words) + " …") for r in coverage.open if r.rfc == one))
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--write", "--verify", "--update-requirements"):
        parser.add_argument(option, action="store_true")
    options = parser.parse_args()
    if (options.verify or options.update_requirements) and not all(map(rfc_text, FOLLOWED)):
        sys.exit("the RFCs' texts are not in HANDFAST_VECTORS/rfc")
    if options.update_requirements:
        (ROOT / REQUIREMENTS).write_text(written_requirements(), encoding="utf-8")
    tree = rules.Tree(ROOT)
    coverage = coverage_of(tree)
    if options.write:
        (ROOT / REPORT).write_text(markdown(coverage), encoding="utf-8")
    for line in totals(coverage):
        print(", ".join(f"{name}: {value}" for name, value in zip(TOTALS, line)))
    for line in coverage.stale:
        print(f"{NOT_APPLICABLE}: not an unquoted requirement, or no reason: {line}")
    for quote in differing_quotes(quotes_of(tree)) if options.verify else coverage.strays:
        print(f"{quote.file}: not found in RFC {quote.rfc} §{quote.section}: {quote.text}")


if __name__ == "__main__":
    main()
