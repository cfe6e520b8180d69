#!/usr/bin/env python3
"""Checks the whole tree against rules.py, and each rule against samples that it must refuse.

It reads the source tree itself, not Bazel's copy of it, so it also runs without Bazel:
`python3 tests/tidy/tidy_test.py`.
"""

import os
import pathlib
import sys
import tempfile
import unittest

# Under Bazel this file is a link into the source tree.
HERE = pathlib.Path(os.path.realpath(__file__)).parent
sys.path.insert(0, str(HERE))
import rules  # noqa: E402  (the path is set just above)

ROOT = HERE.parent.parent
TREE = rules.Tree(ROOT)
MARK = "TO" + "DO"

# rule -> samples (path, text) that it must refuse.
BAD = {
    rules.include_follows_arrows: [
        ("tls/base/a.h", '#include "tls/wire/b.h"'),
        ("tls/wire/a.h", '#include "tls/crypto/b.h"'),
        ("tls/crypto/a.h", '#include "tls/wire/b.h"'),
        ("tls/engine/a.h", '#include "tls/record/b.h"'),
        ("tls/record/a.h", '#include "tls/engine/b.h"'),
        ("tls/record/a.h", '#include "tls/connection/b.h"'),
        ("tls/connection/a.h", '#include "server/store/b.h"'),
        ("tls/engine/a.cc", "#include <openssl/evp.h>"),
        ("tls/crypto/a.cc", "#include <openssl/ssl.h>"),
        ("tls/engine/a.cc", '#include "absl/strings/string_view.h"'),
        ("tls/engine/a.cc", "#  include <absl/strings/string_view.h>"),
        ("tls/engine/a.cc", '#include "handfast/v1/handshake.pb.h"'),
        ("tls/base/a.cc", "#include <google/protobuf/message.h>"),
        ("tls/base/a.cc", '#include "bytes.h"'),
        ("tls/base/a.cc", '#include "tests/tls/base/b.h"'),
        ("tls/new/a.cc", '#include "tls/base/b.h"'),
        ("server/custody/a.cc", '#include "server/access/policy.h"'),
        ("server/custody/a.cc", '#include "server/rpc/a_interface_of_rpc.h"'),
        ("server/custody/a.cc", "#include <openssl/evp.h>"),
        ("server/custody/a.cc", '#include "handfast/v1/keys.pb.h"'),
        ("server/handshakes/a.cc", "#include <grpcpp/grpcpp.h>"),
        ("server/config/a.cc", '#include "handfast/v1/handshake.grpc.pb.h"'),
        ("server/rpc/a.cc", '#include "server/store/memory.h"'),
        ("server/store/a.cc", '#include "server/custody/key.h"'),
        ("server/main.cc", '#include "client/core/channel.h"'),
        ("server/main.cc", "#include <openssl/ssl.h>"),
        ("server/rpc/a.cc", "#include <gtest/gtest.h>"),
        ("client/core/a.cc", '#include "tls/engine/profile.h"'),
        ("client/core/a.cc", '#include "tls/crypto/aead.h"'),
        ("client/core/a.cc", '#include "server/observe/log.h"'),
        ("client/cli/a.cc", "#include <grpcpp/channel.h>"),
        ("client/provider/a.cc", "#include <grpcpp/channel.h>"),
        ("client/provider/a.cc", '#include "absl/strings/str_cat.h"'),
        ("client/provider/a.cc", '#include "handfast/v1/signing.pb.h"'),
    ],
    rules.only_tests_link_libssl: [
        ("server/BUILD", 'deps = ["@system//:ssl"],'),
        ("client/edge/BUILD", 'linkopts = ["-lssl"],'),
    ],
    rules.no_debug_string: [
        ("server/rpc/a.cc", "Log(request.DebugString());"),
        ("client/cli/a.cc", "Print(reply.ShortDebugString());"),
        ("client/cli/a.cc", "Print(reply.Utf8DebugString());"),
        ("server/rpc/a.cc", "google::protobuf::TextFormat::PrintToString(request, &text);"),
        ("client/core/a.cc", "TextFormat::Print(reply, &stream);"),
        ("server/rpc/a.cc", "(void)google::protobuf::util::MessageToJsonString(request, &text);"),
        ("server/rpc/a.cc", "util::BinaryToJsonString(resolver, url, bytes, &text);"),
        ("client/edge/a.cc", "Log(google::protobuf::ShortFormat(reply));"),
        ("client/edge/a.cc", "Log(google::protobuf::Utf8Format(reply));"),
    ],
    rules.server_logs_and_does_not_print: [
        ("server/rpc/a.cc", "std::cerr << status;"),
        ("server/store/a.cc", 'printf("%d", n);'),
        ("server/store/a.cc", 'std::fprintf(stderr, "%d", n);'),
    ],
    rules.proto_comments: [
        ("proto/handfast/v1/a.proto", "service A {\n}\n"),
        ("proto/handfast/v1/a.proto", "// A.\nservice A {\n  rpc Get(X) returns (Y);\n}\n"),
        ("proto/handfast/v1/a.proto", "// A.\n\nmessage A {}\n"),
        ("proto/handfast/v1/a.proto", "// -----\nmessage A {}\n"),
        ("proto/handfast/v1/a.proto", "// A.\nmessage A {\n  oneof b {\n  }\n}\n"),
        ("proto/handfast/v1/a.proto", "  string name = 1;\n"),
        ("proto/handfast/v1/a.proto", "  repeated google.rpc.Status a = 1 [deprecated = true];\n"),
        ("proto/handfast/v1/a.proto", "  map<string, bytes> all = 1;\n"),
        # The comment of the first of a group says nothing of the second.
        ("proto/handfast/v1/a.proto", "  // Of both.\n  string a = 1;\n  string b = 2;\n"),
        ("proto/handfast/v1/a.proto", "  // Of both.\n  string a = 1; string b = 2;\n"),
        ("proto/handfast/v1/a.proto", "// A.\nmessage A { string b = 1; }\n"),
        ("proto/handfast/v1/a.proto", "// A.\nenum A {\n  A_UNSPECIFIED = 0;\n  A_B = 1;\n}\n"),
    ],
    rules.file_is_not_too_long: [
        ("tls/base/a.cc", "// line\n" * (rules.LONGEST_FILE + 1)),
    ],
    rules.name_says_what_it_is: [
        ("server/custody/a.h", "class KeyManager {"),
        ("tls/base/a.h", "struct ByteUtils {"),
        ("server/rpc/a.h", "class RelayHandler final : public Service {"),
    ],
    rules.todo_has_text: [
        ("tls/base/a.cc", f"// {MARK}"),
        ("tls/base/a.cc", f"// {MARK}: fix"),
        ("dev", f"# {MARK}(someone):"),
    ],
    rules.no_path_of_one_machine: [
        ("README.md", "see /wo" + "rk/main/x"),
        ("tests/a.cc", 'Open("/ho' + 'me/ann/vectors")'),
    ],
    rules.no_trailing_space: [
        ("tls/base/a.cc", "int a; \n"),
        ("README.md", "no newline"),
    ],
}

# rule -> samples that it must let pass: a rule that refuses everything tells nothing.
GOOD = {
    rules.include_follows_arrows: [
        ("tls/engine/a.cc", '#include "tls/engine/b.h"\n#include <vector>\n#include "tls/base/c.h"'),
        ("tls/crypto/a.cc", "#include <openssl/evp.h>"),
        ("server/custody/a.cc", '#include "server/observe/audit_interface.h"'),
        ("server/custody/a.cc", '#include "server/observe/log.h"'),
        ("server/custody/a.cc", '#include "server/store/memory.h"\n#include "absl/status/status.h"'),
        ("server/rpc/a.cc", '#include "handfast/v1/handshake.grpc.pb.h"'),
        ("server/main.cc", '#include "server/trust/verifier.h"\n#include <grpcpp/server.h>'),
        ("client/core/a.cc", '#include "tls/record/protection.h"'),
        ("tests/interop/a.cc", "#include <openssl/ssl.h>"),
    ],
    rules.only_tests_link_libssl: [
        ("tests/interop/BUILD", 'deps = ["@system//:ssl"],'),
        ("client/edge/BUILD", 'deps = ["@system//:crypto"],'),
    ],
    rules.no_debug_string: [
        ("server/rpc/a.cc", "// debug strings are refused by a rule"),
        ("server/rpc/a.cc", "absl::StrFormat(text); TextFormat::ParseFromString(text, &message);"),
        ("tests/server/rpc/a.cc", "EXPECT_TRUE(reply.ok()) << reply->DebugString();"),
    ],
    rules.proto_comments: [
        ("proto/handfast/v1/a.proto",
         'syntax = "proto3";\n\n// A.\nenum A {\n  A_UNSPECIFIED = 0;\n  // B.\n  A_B = 1;\n}\n'
         "// C.\nmessage C {\n  reserved 2;\n  // D,\n  // at length.\n  optional A d = 1;\n"
         "  // E.\n  oneof e {\n    // F.\n    G f = 3;  // and more\n  }\n}\n"
         "// H.\nmessage H {}\n"),
        ("proto/google/rpc/a.proto", "message A {}\n"),
    ],
    rules.server_logs_and_does_not_print: [
        ("server/main.cc", "std::cerr << status;"),
        ("server/store/a.cc", 'std::snprintf(buffer, sizeof(buffer), "%d", n);'),
    ],
    rules.file_is_not_too_long: [("tls/base/a.cc", "// line\n" * rules.LONGEST_FILE)],
    rules.name_says_what_it_is: [("tls/base/a.h", "class Reader {")],
    rules.todo_has_text: [("tls/base/a.cc", f"// {MARK}(ann): drop once libcrypto 3.5 is common")],
    rules.no_path_of_one_machine: [("README.md", "the path docs/wo" + "rk/x, and /usr/bin/x")],
    rules.no_trailing_space: [("tls/base/a.cc", "int a;\n")],
}


class Controls(unittest.TestCase):
    """Each rule fires where it should, and only there."""

    def test_every_rule_has_samples(self):
        self.assertEqual(set(BAD), set(rules.FILE_RULES))
        self.assertEqual(set(GOOD), set(rules.FILE_RULES))

    def test_rules_refuse_bad_samples(self):
        for rule, samples in BAD.items():
            for path, text in samples:
                with self.subTest(rule=rule.__name__, path=path, text=text[:60]):
                    self.assertTrue(list(rule(path, text)))

    def test_rules_pass_good_samples(self):
        for rule, samples in GOOD.items():
            for path, text in samples:
                with self.subTest(rule=rule.__name__, path=path, text=text[:60]):
                    self.assertEqual(list(rule(path, text)), [])

    def _tree(self, folder, files):
        for name, text in files.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return rules.Tree(folder, files)

    def test_a_folder_without_a_readme_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = self._tree(folder, {
                "tls/base/a.h": "", "tls/wire/a.h": "",
                "tls/wire/README.md": "line\n" * (rules.README_LINES + 1),
                "tests/load/deep/a.cc": "",
                "server/rpc/a.cc": "", "server/rpc/README.md": "# rpc\n",
            })
            found = " ".join(rules.folder_has_readme(tree))
            self.assertIn("tls/base/README.md", found)
            self.assertIn("tls/wire/README.md", found)
            self.assertIn("tests/load/README.md", found)
            self.assertNotIn("server/rpc", found)

    def test_a_mirror_that_nothing_describes_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = self._tree(folder, {
                "tests/tls/README.md": "- `wire/`: cuts each layout.\n", "tests/tls/wire/a.cc": "",
                "tests/tls/base/a.cc": "",
                "tests/tls/crypto/a.cc": "",
                "tests/tls/crypto/README.md": "line\n" * (rules.README_LINES + 1),
            })
            found = " ".join(rules.folder_has_readme(tree))
            self.assertIn("tests/tls/README.md: does not name base/", found)
            self.assertIn("tests/tls/crypto/README.md: 61 lines", found)
            self.assertNotIn("wire/", found)
            self.assertNotIn("name crypto/", found)

    def test_a_reason_that_no_proto_tells_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = self._tree(folder, {
                "server/rpc/a.cc": 'return access::WithReason(absl::UnavailableError("x (y)"),\n'
                                   '                          "DRAINING");\n'
                                   'return WithReason(absl::AbortedError(Text(a)), "LOST");\n',
                "server/custody/a.cc": 'constexpr std::string_view kReason = "BAD_CHAIN";\n'
                                       'return InvalidField(kField, "is too large", kReason);\n'
                                       'ToPem("CERTIFICATE", der);\n',
                "server/config/a.cc": 'Variable("HANDFAST_STATE_DIR");\n',
                "proto/handfast/v1/a.proto": '// Reasons:\n'
                                             '//     LOST      somebody was faster.\n'
                                             '//     NO_ROUTE  there is no way.\n'
                                             'string reason = "DRAINING";\n',
            })
            found = sorted(rules.reasons_are_in_the_contract(tree))
            self.assertEqual(found, [
                "proto/handfast/v1/a.proto:3: nothing in server/ sets NO_ROUTE",
                "server/custody/a.cc: BAD_CHAIN stands in no comment of a .proto",
                "server/rpc/a.cc: DRAINING stands in no comment of a .proto",
            ])

    def test_a_vector_file_is_refused(self):
        content = "04af" * rules.SMALLEST_VECTOR
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as vectors:
            (pathlib.Path(vectors) / "original.txt").write_text(content, encoding="utf-8")
            tree = self._tree(folder, {
                "tests/testdata/x.vec": "", "tests/testdata/y.json": '{"numberOfTests" : 3}',
                "tests/testdata/z.txt": content, "tests/testdata/own.txt": content[::-1],
            })
            found = " ".join(rules.no_vector_files(tree, vectors))
            self.assertIn("x.vec", found)
            self.assertIn("y.json", found)
            self.assertIn("z.txt: a copy of original.txt", found)
            self.assertNotIn("own.txt", found)


    def test_an_attack_that_nothing_answers_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = self._tree(folder, {
                "tests/a_test.cc": "TEST(Bytes, Hex) {}\nTYPED_TEST(LayoutTest, T11_Cut) {}\n",
                "tls/base/a.cc": "", "tls/base/README.md": "`ATTACKS.md`\n",
                "tls/base/ATTACKS.md": "## T1: x\n`a.cc`, `tls/base/a.cc`, `Bytes.Hex`, `Bytes.*`, "
                                       "`LayoutTest.T11_*`, `Record::Open`, `bad_record_mac`\n",
                "tls/wire/README.md": "\n",
                "tls/wire/ATTACKS.md": "## T2: x\n`b.cc`, `Bytes.Gone`, `Gone.*`, "
                                       "`LayoutTest.T12_*`\n",
            })
            found = " ".join(rules.attacks_are_answered(tree))
            for fault in ("no file b.cc", "no test Bytes.Gone", "no test Gone.*",
                          "no test LayoutTest.T12_*", "tls/wire/README.md: does not name",
                          "T3 has no section", "T27 has no section"):
                self.assertIn(fault, found)
            for sound in ("T1 has", "T2 has", "tls/base"):
                self.assertNotIn(sound, found)


class House(unittest.TestCase):
    """The tree as it stands."""

    def test_files_follow_the_rules(self):
        for path in TREE.paths:
            text = TREE.read(path)
            for rule in rules.FILE_RULES if text is not None else []:
                for fault in rule(path, text):
                    with self.subTest(rule=rule.__name__):
                        self.fail(f"{path}:{fault} ({rule.__doc__})")

    def test_every_folder_has_a_readme(self):
        self.assertEqual([], list(rules.folder_has_readme(TREE)))

    def test_the_contract_tells_every_reason(self):
        self.assertEqual([], list(rules.reasons_are_in_the_contract(TREE)))

    def test_every_attack_is_answered(self):
        self.assertEqual([], list(rules.attacks_are_answered(TREE)))

    def test_no_vectors_in_the_tree(self):
        vectors = os.environ.get("HANDFAST_VECTORS") or None
        self.assertEqual([], list(rules.no_vector_files(TREE, vectors)))

    def test_exceptions_are_still_needed(self):
        exceptions = {**rules.LONG_FILES, **rules.SHARED_HEADERS, **rules.WHOLE_MESSAGES}
        for path, reason in exceptions.items():
            self.assertTrue(reason, path)
        for path in rules.WHOLE_MESSAGES:
            self.assertRegex(TREE.read(path), rules.WHOLE_MESSAGE, path)
        for path in rules.LONG_FILES:
            self.assertIn(path, TREE.paths)
            self.assertGreater(len(TREE.read(path).splitlines()), rules.LONGEST_FILE, path)

    def test_print_figures(self):
        for line in rules.long_files(TREE):
            print(f"long: {line}")
        counts = rules.count_rfc_quotes(TREE)
        print(f"{sum(counts.values())} requirements quoted from RFCs:",
              ", ".join(f"{count} of RFC {rfc}" for rfc, count in sorted(counts.items())))


if __name__ == "__main__":
    unittest.main()
