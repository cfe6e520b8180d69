// The generic part: YAML to protobuf and back, and what is near to what.
#include "server/config/document.h"

#include <gtest/gtest.h>

#include "handfast/v1/config.pb.h"

namespace handfast::config {
namespace {

v1::Config Read(const std::string& text) {
  v1::Config config;
  Places places;
  Mistakes mistakes;
  ReadDocument(text, "t.yaml", config, places, mistakes);
  EXPECT_TRUE(mistakes.empty()) << mistakes.ToStatus();
  return config;
}

std::string Wrong(const std::string& text) {
  v1::Config config;
  Places places;
  Mistakes mistakes;
  ReadDocument(text, "t.yaml", config, places, mistakes);
  return static_cast<std::string>(mistakes.ToStatus().message());
}

TEST(Document, ReadsEveryKindOfField) {
  const v1::Config config = Read(R"(
listeners:
  - unix: {path: /s, mode: 0660, allowed_uids: [0, 4294967295]}
principals:
  - name: "unix:/s"
    tenant: shop
    roles: [caller, operator]
    release_keys: true
log: {level: warning}
)");
  EXPECT_EQ(config.listeners(0).unix().mode(), "0660") << "text, as it was written";
  EXPECT_EQ(config.listeners(0).unix().allowed_uids(1), 4294967295U);
  EXPECT_EQ(config.principals(0).roles(1), v1::PRINCIPAL_ROLE_OPERATOR);
  EXPECT_TRUE(config.principals(0).release_keys());
  EXPECT_EQ(config.log().level(), v1::LOG_LEVEL_WARNING);
  EXPECT_FALSE(config.has_drain_seconds());
}

TEST(Document, WritesWhatItReadsBack) {
  const v1::Config config = Read(R"(
listeners: [{tcp: {address: "[::1]:1", certificate_file: "a \"b\" \\ c", key_file: "0x10"}}]
profiles: [{name: p, base: modern, versions: [TLSv1.3], release_keys: false}]
log: {level: trace, format: json}
drain_seconds: 0
)");
  EXPECT_EQ(Read(WriteDocument(config)).SerializeAsString(), config.SerializeAsString());
}

TEST(Document, EveryWordOfAnEnumeration) {
  EXPECT_EQ(WordsOf(*v1::LogLevel_descriptor()),
            (std::vector<std::string>{"trace", "debug", "info", "warning", "error"}));
  EXPECT_EQ(WordsOf(*v1::ClientAuthMode_descriptor()),
            (std::vector<std::string>{"none", "optional", "required"}));
}

TEST(Document, IsNoYaml) {
  EXPECT_EQ(Wrong(""), "t.yaml:1: the document is empty");
  EXPECT_EQ(Wrong("# only a comment\n"), "t.yaml:1: the document is empty");
  EXPECT_EQ(Wrong("- a\n"), "t.yaml:1: the document must be a mapping of keys to values");
  EXPECT_EQ(Wrong("just text"), "t.yaml:1: the document must be a mapping of keys to values");
  EXPECT_TRUE(Wrong("log:\n  level: [\n").find("this is no YAML") != std::string::npos);
  EXPECT_TRUE(Wrong("log: {level: info}\n---\nlog: {level: info}\n").find("second document") !=
              std::string::npos);
  EXPECT_NE(Wrong(std::string(kMaxDocumentSize + 1, ' ')).find("larger than"), std::string::npos);
}

TEST(Document, DeepNestingIsRefusedAndNotFollowed) {
  EXPECT_NE(Wrong("log: " + std::string(100'000, '[')), "");
}

TEST(Nearest, FindsWhatWasMeant) {
  const std::vector<std::string> known = {"address", "certificate_file", "key_file",
                                          "client_ca_file"};
  EXPECT_EQ(Nearest("adress", known), "address");
  EXPECT_EQ(Nearest("certificate-file", known), "certificate_file");
  EXPECT_EQ(Nearest("keyfile", known), "key_file");
  EXPECT_EQ(Nearest("something_else", known), "");
  EXPECT_EQ(Hint("zzzzzz", known),
            "; known are address, certificate_file, key_file, client_ca_file");
  EXPECT_EQ(Hint("x", {}), "; there are none");
}

TEST(Quote, IsShortAndOfOneLine) {
  EXPECT_EQ(Quote("a\nb\x1b[0m"), "`a?b?[0m`");
  EXPECT_LT(Quote(std::string(10'000, 'x')).size(), 80U);
}

}  // namespace
}  // namespace handfast::config
