// Resource names and ids, at their edges.
#include "server/custody/names.h"

#include <gtest/gtest.h>

namespace handfast::custody {
namespace {

TEST(Names, Ids) {
  EXPECT_TRUE(IsId("a"));
  EXPECT_TRUE(IsId("web-2026"));
  EXPECT_TRUE(IsId(std::string(63, 'a')));
  for (const std::string& bad :
       {std::string(), std::string("1a"), std::string("-a"), std::string("A"), std::string("a_b"),
        std::string("a b"), std::string("a/b"), std::string("a\0b", 3), std::string("ä"),
        std::string(64, 'a')}) {
    EXPECT_FALSE(IsId(bad)) << bad;
  }
}

TEST(Names, RoundTrip) {
  const auto key = ParseKeyName(KeyName("shop", "web"));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->tenant, "shop");
  EXPECT_EQ(key->id, "web");
  const auto credential = ParseCredentialName("tenants/shop/credentials/web");
  ASSERT_TRUE(credential.has_value());
  EXPECT_EQ(CredentialName(credential->tenant, credential->id), "tenants/shop/credentials/web");
  EXPECT_EQ(ParseTenantName("tenants/shop"), "shop");
}

TEST(Names, RefuseWhatIsAnother) {
  for (const char* bad :
       {"", "tenants", "tenants/", "tenants/shop", "tenants/shop/keys", "tenants/shop/keys/",
        "tenants//keys/a", "tenants/shop/keys/a/", "tenants/shop/keys/a/b", "/tenants/shop/keys/a",
        "tenants/shop/Keys/a", "tenants/shop/credentials/a", "tenants/shop/keys/A"}) {
    EXPECT_FALSE(ParseKeyName(bad).has_value()) << bad;
  }
  EXPECT_FALSE(ParseCredentialName("tenants/shop/keys/a").has_value());
  EXPECT_FALSE(ParseTenantName("tenants/shop/keys/a").has_value());
  EXPECT_FALSE(ParseTenantName("tenants/").has_value());
}

}  // namespace
}  // namespace handfast::custody
