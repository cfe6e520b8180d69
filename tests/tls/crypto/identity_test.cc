// SPIFFE IDs to the letter, and which identities a certificate bears.
#include "tls/crypto/identity.h"

#include <gtest/gtest.h>

namespace handfast::tls {
namespace {

CertificateInfo Names(std::vector<std::string> uris, std::vector<std::string> dns_names = {}) {
  CertificateInfo info;
  info.common_name = "cn.example.test";
  info.uris = std::move(uris);
  info.dns_names = std::move(dns_names);
  return info;
}

TEST(SpiffeId, IsTakenApart) {
  const auto id = ParseSpiffeId("spiffe://example.org/ns/Prod_1/sa/a.b-c");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->trust_domain, "example.org");
  EXPECT_EQ(id->path, "/ns/Prod_1/sa/a.b-c");
  const auto domain = ParseSpiffeId("spiffe://example.org");
  ASSERT_TRUE(domain);
  EXPECT_EQ(domain->path, "");
}

TEST(SpiffeId, NothingElseIsOne) {
  for (const char* uri : {"",
                          "spiffe:",
                          "spiffe://",
                          "spiffe:///path",
                          "SPIFFE://example.org/a",
                          "https://a/b",
                          "spiffe://Example.org/a",
                          "spiffe://example.org:8443/a",
                          "spiffe://me@example.org/a",
                          "spiffe://ex%61mple.org/a",
                          "spiffe://example.org/",
                          "spiffe://example.org/a/",
                          "spiffe://example.org//a",
                          "spiffe://example.org/a//b",
                          "spiffe://example.org/.",
                          "spiffe://example.org/a/../b",
                          "spiffe://example.org/%61",
                          "spiffe://example.org/a?b",
                          "spiffe://example.org/a#b",
                          "spiffe://example.org?a",
                          "spiffe://[::1]/a",
                          "spiffe://example.org/a b",
                          " spiffe://example.org/a",
                          "spiffe://example.org/\xc3\xa9"}) {
    EXPECT_FALSE(ParseSpiffeId(uri)) << uri;
  }
  // "..." is a name like any other, and so is ".a".
  EXPECT_TRUE(ParseSpiffeId("spiffe://example.org/.../.a"));
}

TEST(SpiffeId, HasItsLengths) {
  const std::string domain = "spiffe://" + std::string(255, 'a');
  EXPECT_TRUE(ParseSpiffeId(domain));
  EXPECT_FALSE(ParseSpiffeId(domain + "a"));
  const std::string longest = "spiffe://a/" + std::string(2048 - 11, 'b');
  EXPECT_TRUE(ParseSpiffeId(longest));
  EXPECT_FALSE(ParseSpiffeId(longest + "b"));
}

TEST(SpiffeId, IsTheOnlyUriOfItsCertificate) {
  EXPECT_EQ(SpiffeIdOf(Names({"spiffe://a/b"})), "spiffe://a/b");
  EXPECT_FALSE(SpiffeIdOf(Names({})));
  EXPECT_FALSE(SpiffeIdOf(Names({"spiffe://a/b", "spiffe://a/c"})));
  EXPECT_FALSE(SpiffeIdOf(Names({"spiffe://a/b", "https://a/b"})));
  EXPECT_FALSE(SpiffeIdOf(Names({"https://a/b"})));
}

TEST(DnsIdentity, IsAPlainName) {
  for (const char* name : {"a", "a.b", "xn--bcher-kva.example", "_tls.a", "1.a", "a-b.c2"}) {
    EXPECT_TRUE(IsDnsIdentity(name)) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("*.a"), std::string("A.b"), std::string("-a.b"), std::string("a-.b"),
        std::string("a b"), std::string("a/b"), std::string("192.0.2.1"), std::string("::1"),
        std::string("a.1"), std::string("a\0b", 3), std::string(64, 'a'),
        std::string(126, 'a') + "." + std::string(126, 'b')}) {
    EXPECT_FALSE(IsDnsIdentity(name)) << name;
  }
}

TEST(Identity, IsOneOfBothKinds) {
  EXPECT_TRUE(IsIdentity("spiffe://a/b"));
  EXPECT_TRUE(IsIdentity("db.example.test"));
  for (const char* text : {"", "spiffe://a/", "https://a/b", "*.example.test", "CN=db"}) {
    EXPECT_FALSE(IsIdentity(text)) << text;
  }
}

TEST(Identity, IsBorneToTheByte) {
  const CertificateInfo leaf =
      Names({"spiffe://example.test/db"}, {"db.example.test", "*.example.test"});
  EXPECT_TRUE(Bears(leaf, "spiffe://example.test/db"));
  EXPECT_TRUE(Bears(leaf, "db.example.test"));
  for (const char* other :
       {"", "spiffe://example.test", "spiffe://example.test/db2", "spiffe://example.test/d",
        "spiffe://example.test/DB", "other.example.test", "*.example.test", "cn.example.test",
        "DB.example.test", "db.example.test."}) {
    EXPECT_FALSE(Bears(leaf, other)) << other;
  }
}

TEST(Identity, OfTwoUrisIsNone) {
  const CertificateInfo leaf = Names({"spiffe://a/b", "spiffe://a/c"}, {"a.test"});
  EXPECT_FALSE(Bears(leaf, "spiffe://a/b"));
  EXPECT_FALSE(Bears(leaf, "spiffe://a/c"));
  EXPECT_TRUE(Bears(leaf, "a.test"));
}

}  // namespace
}  // namespace handfast::tls
