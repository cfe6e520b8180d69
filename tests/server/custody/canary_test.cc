// A private key with known bytes goes in; they come out nowhere: not in replies, statuses, the
// log, the metrics, nor the files (security.md, S3 and S14).
#include <algorithm>

#include "server/observe/log.h"
#include "server/observe/metrics.h"
#include "tests/server/custody/fixture.h"
#include "tls/base/bytes.h"

namespace handfast::custody {
namespace {

// RFC 4648, without padding.
std::string Base64(tls::ByteView bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t group = 0;
  int bits = 0;
  for (const uint8_t byte : bytes) {
    group = group << 8 | byte;
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits[group >> (bits - 6) & 63];
  }
  return out;
}

// The forms in which a secret could show itself: half of it is enough to convict.
std::vector<std::string> FormsOf(tls::ByteView secret) {
  const tls::ByteView half = secret.first(secret.size() / 2);
  std::string hex = tls::ToHex(half);
  std::vector<std::string> forms = {std::string(tls::AsText(half)), hex};
  std::transform(hex.begin(), hex.end(), hex.begin(), [](char c) { return toupper(c); });
  forms.push_back(hex);
  for (size_t shift = 0; shift < 3; ++shift) forms.push_back(Base64(half.subspan(shift)));
  return forms;
}

// The scalar of a P-256 key, which stands in PKCS#8 as an OCTET STRING of 32 bytes.
tls::Bytes ScalarOf(const tls::Bytes& pkcs8) {
  const tls::Bytes before = {0x02, 0x01, 0x01, 0x04, 0x20};
  const auto found = std::search(pkcs8.begin(), pkcs8.end(), before.begin(), before.end());
  EXPECT_NE(found, pkcs8.end());
  return {found + 5, found + 37};
}

class Canary : public CustodyTest {
 protected:
  void See(std::string_view text) { seen_.append(text).push_back('\n'); }
  void See(const absl::Status& status) {
    See(std::string_view(status.message().data(), status.message().size()));
    See(access::ReasonOf(status));
  }
  void SeeFiles() {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      See(ReadFile(entry.path()));
    }
  }
  int CountForms(const tls::Bytes& secret) const {
    int count = 0;
    for (const std::string& form : FormsOf(secret)) {
      if (seen_.find(form) != std::string::npos) ++count;
    }
    return count;
  }

  std::string seen_;
  observe::CapturedLog log_{observe::Format::kJson, [this](std::string_view line) { See(line); },
                            [] { return 0.0; }};
};

TEST_F(Canary, IsNowhere) {
  const tls::test::Leaf leaf = ca_.Issue({.dns = {"a.test"}});
  const tls::Bytes secret = ScalarOf(leaf.key_pkcs8);
  observe::Metrics metrics("test", {});
  Open();
  const ImportedKey imported = ImportLeaf("shop", "web", leaf);
  See(imported.key.name + tls::ToHex(imported.key.public_key_der));
  See(imported.credential->certificate_chain_pem + imported.credential->certificate_request_pem);
  const auto created = custody_->CreateCredential({.tenant = "shop",
                                                   .credential_id = "second",
                                                   .key = imported.key.name,
                                                   .dns_names = {"b.test"},
                                                   .request_id = "r"});
  See(created->certificate_request_pem);

  // Mistakes that have the key's text in their hands.
  const std::string pem = leaf.key_pem;
  const auto import = [&](const std::string& key, const std::string& chain, const std::string& id) {
    return custody_
        ->ImportKey({.tenant = "shop",
                     .key_id = id,
                     .private_key_pem = key,
                     .certificate_chain_pem = chain,
                     .request_id = ""})
        .status();
  };
  See(import(pem, leaf.chain_pem, "web"));
  See(import(pem, ca_.Issue({}).chain_pem, "x"));
  See(import(pem.substr(0, pem.size() - 40), "", "x"));
  See(import(pem, pem, "x"));
  See(import(pem, "", pem));
  See(custody_->SetCertificateChain(created->name, pem).status());

  const auto used =
      custody_->Use("shop", {.id = 1,
                             .credential = imported.credential->name,
                             .scheme = tls::SignatureScheme::kEcdsaSecp256r1Sha256,
                             .intent = tls::Tls13ServerCertificateVerify{tls::Bytes(32, 1)}});
  EXPECT_FALSE(used.signature.empty());
  metrics.PrivateKeyUsed(
      {.scheme = tls::SignatureScheme::kEcdsaSecp256r1Sha256, .ok = true, .duration_s = 0.001});
  See(metrics.Text());
  SeeFiles();
  custody_.reset();
  SeeFiles();

  EXPECT_GT(seen_.size(), 10'000U);
  EXPECT_EQ(CountForms(secret), 0);
}

// The negative control: each form of leak is one that the search finds.
TEST_F(Canary, WouldBeFound) {
  const tls::Bytes secret = ScalarOf(ca_.Issue({}).key_pkcs8);
  EXPECT_EQ(CountForms(secret), 0);
  for (const std::string& form : FormsOf(secret)) {
    seen_ = "before " + form + " after";
    EXPECT_GE(CountForms(secret), 1);
  }
  // As somebody would write it: base64 at any offset of a larger text.
  for (size_t shift = 0; shift < 3; ++shift) {
    tls::Bytes larger(shift, 'x');
    tls::Append(larger, secret);
    seen_ = Base64(larger);
    EXPECT_GE(CountForms(secret), 1) << shift;
  }
}

}  // namespace
}  // namespace handfast::custody
