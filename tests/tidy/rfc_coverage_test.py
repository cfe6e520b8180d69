#!/usr/bin/env python3
"""Tests rfc_coverage.py on samples, and that tls/rfc-coverage.md is what it makes of the tree.

It reads the source tree itself, not Bazel's copy of it, so it also runs without Bazel:
`python3 tests/tidy/rfc_coverage_test.py`.
"""

import os
import pathlib
import sys
import unittest

# Under Bazel this file is a link into the source tree.
HERE = pathlib.Path(os.path.realpath(__file__)).parent
sys.path.insert(0, str(HERE))
import rfc_coverage  # noqa: E402  (the path is set just above)
import rules  # noqa: E402

TREE = rules.Tree(rfc_coverage.ROOT)
WRITE = "run ./dev fmt (python3 tests/tidy/rfc_coverage.py --write)"

# An RFC of our own making, with all that stands in the way of its sentences.
RFC = """\
Network Working Group                                          A. Author

Table of Contents

   2.  Messages ..................................................1
   2.1.  What a server MUST do ...................................2

1.  Introduction

   Nothing is asked for here, e.g. In capitals.  The key words "MUST"
   and "SHALL" are words.

2.  Messages

   A peer that reads an empty message MUST close the connection with a
   "decode_error" alert, which is fatal, and it MUST NOT send any



Author                       Standards Track                    [Page 1]
\f
RFC 9999                        Sample                      January 2020


   other message afterwards.  It may (i.e., if it likes) wait.

      struct {
          opaque value<0..2^16-1>;   /* MUST be empty */
      } Message;

      +----------+-------------------+
      | field    | MUST be           |
      +----------+-------------------+

   -  First item, which a sender MUST count as the first one it sends
   -  Second item, which is
      REQUIRED to follow the first one.

2.1.  Alerts

   If it fails, the peer MUST abort the handshake with a fatal alert.
   If the second fails, the peer MUST abort the handshake with a fatal
   alert.

Appendix A.  More

A.1.  Last

   The last word of the RFC SHALL be this one, and no other word.
"""


def quotes(text, path="tls/a.cc"):
    return list(rfc_coverage.parse_quotes(path, text))


def only_quote(text):
    (quote,) = quotes(text)
    return quote


def sample_requirements():
    return rfc_coverage.requirements_of("8446", RFC)


class Quotes(unittest.TestCase):
    """What is read out of the code."""

    def test_a_quote_spans_lines(self):
        quote = only_quote('  // RFC 8446 §4.1.3: "A client which receives\n'
                           '  // a suite MUST abort." Ours does.\n  if (bad) return;\n')
        self.assertEqual(quote[:4], ("8446", "4.1.3", "A client which receives a suite MUST abort.",
                                     "tls/a.cc"))

    def test_a_quote_holds_quotes(self):
        for text, expected in (
            ('with a "decode_error" alert.', 'with a "decode_error" alert.'),
            ('"extension" MUST be last', '"extension" MUST be last'),
            ('exactly one "ProtocolName"', 'exactly one "ProtocolName"'),
            ('an empty ("certificate") list', 'an empty ("certificate") list'),
        ):
            with self.subTest(text=text):
                self.assertEqual(only_quote(f'// RFC 7301 §3.1: "{text}".\n').text, expected)

    def test_words_may_stand_before_a_quote_and_between_two(self):
        found = quotes('// RFC 8446 §4.2: a server "MUST NOT do this". And: "If it does,\n'
                       '// that is wrong." RFC 5246 §7.4 and §D.4: "MUST do that".\n')
        self.assertEqual([quote[:3] for quote in found],
                         [("8446", "4.2", "MUST NOT do this"),
                          ("8446", "4.2", "If it does, that is wrong."),
                          ("5246", "D.4", "MUST do that")])

    def test_what_is_no_quote(self):
        for text in ('// RFC 8446 §4.1.3: SHA-256 of "HelloRetryRequest".\n',
                     '// RFC 8446 §4.1.3.\n',
                     '// "these are words of nobody"\n',
                     '// "these come before it": RFC 8446 §4.\n',
                     '// RFC 8446: "these are of no section"\n',
                     'Log("RFC 8446 §4.1: \\"this is no comment\\"");\n'):
            with self.subTest(text=text):
                self.assertEqual(quotes(text), [])

    def test_a_gap_parts_a_quote(self):
        pieces = rfc_coverage.pieces_of("It MUST [...] stop. Then it waits [...], and goes.")
        self.assertEqual(pieces, ["It MUST", "stop.", "Then it waits", ", and goes."])

    def test_the_branch_below_gives_the_reason(self):
        quote = '// RFC 8446 §4: "it MUST do so"\n'
        for below, expected in (
            ("  if (a) {\n    return Reason::kOne;\n  }\n  return Reason::kTwo;\n", {"kOne"}),
            ("return a ? Reason::kOne\n         : Reason::kTwo;\n", {"kOne", "kTwo"}),
            ("return Reason::kInternalError;\nreturn Reason::kOne;\n", {"kOne"}),
            ("}\n\nvoid Next() { return Reason::kOne; }\n", set()),
            ('Go();\n// RFC 8446 §5: "it MUST do that"\nreturn Reason::kOne;\n', set()),
            ("Go();\n" * rfc_coverage.BRANCH_LINES + "return Reason::kOne;\n", set()),
        ):
            with self.subTest(below=below):
                self.assertEqual(quotes(quote + below)[0].reasons, expected)


class Tests(unittest.TestCase):
    """Which tests are a quote's."""

    def test_sections_stand_in_comments_and_in_rows(self):
        test = rfc_coverage.parse_test(
            "tests/tls/a_test.cc",
            '// RFC 8446 §4.1 and §4.2.1, RFC 5246 §7.\n'
            'Row rows[] = {{"RFC 8446 §6: half an alert", 1}};\n'
            'Set("RFC 8446 §9.9");\nEXPECT_EQ(reason, Reason::kOne);\n')
        self.assertEqual(test.sections, {("8446", "4.1"), ("8446", "4.2.1"), ("5246", "7"),
                                         ("8446", "6")})
        self.assertEqual(test.reasons, {"kOne"})

    def test_the_nearest_tests_come_first(self):
        section, reasons = ("8446", "4"), frozenset({"kOne"})
        other = frozenset({"kTwo"})
        tests = [rfc_coverage.Test("tests/tls/a_test.cc", {}, reasons),
                 rfc_coverage.Test("tests/tls/b_test.cc", {}, other),
                 rfc_coverage.Test("tests/server/c_test.cc", {section}, reasons),
                 rfc_coverage.Test("tests/tls/d_test.cc", {section}, other),
                 rfc_coverage.Test("tests/tls/e_test.cc", {section}, reasons)]
        self.assertEqual(rfc_coverage.tests_of(section, reasons, tests),
                         [("tests/tls/e_test.cc", ""), ("tests/tls/d_test.cc", ""),
                          ("tests/server/c_test.cc", "")])
        self.assertEqual(rfc_coverage.tests_of(section, reasons, tests[:2]),
                         [("tests/tls/a_test.cc", "kOne")])
        self.assertEqual(rfc_coverage.tests_of(section, frozenset(), tests[:2]), [])


class Texts(unittest.TestCase):
    """What is read out of an RFC."""

    def test_a_sentence_goes_on_over_a_page_break(self):
        sentences = [sentence for section, sentence in rfc_coverage.rfc_sentences(RFC)
                     if section == "2"]
        self.assertEqual(sentences[0], 'A peer that reads an empty message MUST close the '
                         'connection with a "decode_error" alert, which is fatal, and it MUST NOT '
                         'send any other message afterwards.')
        self.assertEqual(sentences[1], "It may (i.e., if it likes) wait.")

    def test_requirements_are_the_sentences_that_require(self):
        self.assertEqual([(r.section, r.words) for r in sample_requirements()], [
            ("1", "The key words MUST and SHALL are words"),
            ("2", "A peer that reads an empty message MUST close the connection with"),
            ("2", "First item which a sender MUST count as the first one it"),
            ("2", "Second item which is REQUIRED to follow the first one"),
            ("2.1", "If it fails the peer MUST abort the handshake with a fatal"),
            ("2.1", "If the second fails the peer MUST abort the handshake with a"),
            ("A.1", "The last word of the RFC SHALL be this one and no"),
        ])

    def test_requirements_that_begin_alike_are_told_apart(self):
        begin = "One two three four five six seven eight nine ten eleven MUST "
        text = f"1.  Section\n\n   {begin}go.  {begin}stay.  {begin}go.\n"
        words = [r.words for r in rfc_coverage.requirements_of("8446", text)]
        self.assertEqual(words, [begin.strip(), begin + "(2)"])

    def test_what_is_written_is_read(self):
        written = rfc_coverage.written_requirements(lambda rfc: RFC)
        read = [rfc_coverage.Requirement(*fields) for fields in rfc_coverage.fields_of(written)]
        self.assertEqual(read, [*sample_requirements(),
                                *rfc_coverage.requirements_of("5246", RFC)])

    def test_a_quote_that_differs_is_found(self):
        for text, differs in (
            ('reads an empty message MUST close the connection with a "decode_error" alert', False),
            ("A peer that reads [...] MUST NOT send any other message", False),
            ("A Peer,  that reads", False),
            ("A peer that read", True),
            ("MUST NOT send any other message [...] A peer that reads", True),
            ("the peer MUST abort the handshake", True),  # of another section
        ):
            with self.subTest(text=text):
                quote = rfc_coverage.Quote("8446", "2", text, "tls/a.cc", frozenset())
                found = list(rfc_coverage.differing_quotes([quote], lambda rfc: RFC))
                self.assertEqual(found, [quote] if differs else [])

    def test_an_rfc_that_is_not_there_differs_from_nothing(self):
        quote = rfc_coverage.Quote("8446", "2", "not a word of it", "tls/a.cc", frozenset())
        self.assertEqual(list(rfc_coverage.differing_quotes([quote], lambda rfc: None)), [])


class Matches(unittest.TestCase):
    """Which requirements a quote means."""

    def match(self, text, section="2"):
        quote = rfc_coverage.Quote("8446", section, text, "tls/a.cc", frozenset())
        found, strays = rfc_coverage.match_quotes([quote], sample_requirements())
        return sorted(r.words.split(" MUST")[0] for r in found), strays == [quote]

    def test_six_words_are_enough_and_five_are_not(self):
        whole = "A peer that reads an empty message"
        self.assertEqual(self.match("and it MUST NOT send any"), ([whole], False))
        self.assertEqual(self.match("it MUST NOT send any"), ([], False))

    def test_a_quote_may_have_gaps_and_go_on(self):
        for text, section, meant in (
            ("A peer that reads an empty message [...] alert, which is fatal, and it MUST NOT", "2",
             "A peer that reads an empty message"),
            ("The last word of the RFC SHALL be this one, and no other word: 44 4F", "A.1",
             "The last word of the RFC SHALL be this one and no"),
        ):
            with self.subTest(text=text):
                self.assertEqual(self.match(text, section), ([meant], False))

    def test_a_changed_quote_is_noticed(self):
        for text in ("A peer that reads an empty record MUST close the connection",
                     "A peer that reads an empty message MUST end the connection"):
            with self.subTest(text=text):
                self.assertEqual(self.match(text), ([], True))

    def test_a_quote_of_another_section_is_noticed(self):
        self.assertEqual(self.match("A peer that reads an empty message MUST close", "2.1"),
                         ([], True))

    def test_words_without_a_must_may_be_of_any_sentence(self):
        self.assertEqual(self.match("as it is written in some other place"), ([], False))

    def test_the_sentence_that_holds_most_pieces_is_meant(self):
        ending = "the peer MUST abort the handshake with a fatal alert."
        self.assertEqual(self.match(f"If the second fails, {ending}", "2.1"),
                         (["If the second fails the peer"], False))
        self.assertEqual(self.match(f"second fails, the peer MUST abort the [...] {ending}", "2.1"),
                         (["If the second fails the peer"], False))


class House(unittest.TestCase):
    """The tree as it stands."""

    @classmethod
    def setUpClass(cls):
        cls.coverage = rfc_coverage.coverage_of(TREE)

    def test_the_report_is_up_to_date(self):
        self.assertIn(rfc_coverage.REPORT, TREE.paths, WRITE)
        written = TREE.read(rfc_coverage.REPORT)
        self.assertMultiLineEqual(written, rfc_coverage.markdown(self.coverage), WRITE)

    def test_every_quote_is_read(self):
        for path in TREE.paths:
            if path.startswith("tls/") and rules.CPP.search(path):
                with self.subTest(path=path):
                    expected = len(rules.RFC_QUOTE.findall(TREE.read(path)))
                    self.assertGreaterEqual(len(quotes(TREE.read(path), path)), expected)

    def test_what_is_set_aside_is_unquoted_and_has_a_reason(self):
        self.assertEqual(self.coverage.stale, [], f"see {rfc_coverage.NOT_APPLICABLE}")

    def test_requirements_are_those_of_the_texts(self):
        if not all(map(rfc_coverage.rfc_text, rfc_coverage.FOLLOWED)):
            self.skipTest("no RFCs in HANDFAST_VECTORS")
        self.assertEqual(TREE.read(rfc_coverage.REQUIREMENTS), rfc_coverage.written_requirements(),
                         "run python3 tests/tidy/rfc_coverage.py --update-requirements")

    def test_print_quotes_that_differ(self):
        for quote in rfc_coverage.differing_quotes(rfc_coverage.quotes_of(TREE)):
            print(f"{quote.file}: not found in RFC {quote.rfc} §{quote.section}: {quote.text}")


if __name__ == "__main__":
    unittest.main()
