// SetOcspResponse: what is taken, what is shown to whom, and until when.
#include "server/access/error_details_interface.h"
#include "tests/server/custody/fixture.h"
#include "tests/tls/crypto/test_revocation.h"
#include "tls/crypto/pem.h"

namespace handfast::custody {
namespace {

using access::FieldOf;
using access::ReasonOf;
using tls::test::kDay;
using tls::test::Leaf;
using tls::test::MakeOcsp;
using tls::test::OcspOptions;

constexpr char kWeb[] = "tenants/shop/credentials/web";

class Staple : public CustodyTest {
 protected:
  Staple() {
    Open();
    ImportLeaf("shop", "web", leaf_);
  }

  // What a handshake for a.test would show.
  tls::Bytes Shown() const {
    const tls::Chosen chosen = custody_->Choose(
        "shop", {.server_name = "a.test", .schemes = {tls::SignatureScheme::kEcdsaSecp256r1Sha256}},
        "", false);
    EXPECT_NE(chosen.credential, nullptr);
    return chosen.credential == nullptr ? tls::Bytes() : chosen.credential->ocsp_response;
  }
  // The reason of the refusal; empty where there was none.
  std::string Refusal(const tls::Bytes& response) {
    const absl::Status status = custody_->SetOcspResponse(kWeb, response).status();
    if (status.ok()) return "";
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(FieldOf(status), "ocsp_response");
    EXPECT_EQ(Shown(), tls::Bytes()) << "nothing may have changed";
    return ReasonOf(status);
  }

  const Leaf leaf_ = ca_.Issue({.dns = {"a.test"}});
};

TEST_F(Staple, IsShownFromNowOn) {
  const tls::Bytes response = MakeOcsp(ca_, leaf_.chain[0]);
  EXPECT_EQ(Shown(), tls::Bytes());
  const auto set = custody_->SetOcspResponse(kWeb, response);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->ocsp_next_update_unix_s, now_ + kDay);
  EXPECT_EQ(set->state, CredentialState::kActive);
  EXPECT_EQ(Shown(), response);
  EXPECT_EQ(custody_->GetCredential(kWeb)->ocsp_next_update_unix_s, now_ + kDay);
}

TEST_F(Staple, OutlivesARestart) {
  const tls::Bytes response = MakeOcsp(ca_, leaf_.chain[0]);
  ASSERT_TRUE(custody_->SetOcspResponse(kWeb, response).ok());
  Open();
  EXPECT_EQ(Shown(), response);
  EXPECT_EQ(custody_->GetCredential(kWeb)->ocsp_next_update_unix_s, now_ + kDay);
}

TEST_F(Staple, ANewerOneTakesItsPlace) {
  const tls::Bytes newer = MakeOcsp(ca_, leaf_.chain[0], {.next_update_unix_s = now_ + 2 * kDay});
  ASSERT_TRUE(custody_->SetOcspResponse(kWeb, MakeOcsp(ca_, leaf_.chain[0])).ok());
  ASSERT_TRUE(custody_->SetOcspResponse(kWeb, newer).ok());
  EXPECT_EQ(Shown(), newer);
  EXPECT_EQ(custody_->Served().size(), 1U) << "the credential is there once";
  EXPECT_TRUE(custody_->SetOcspResponse(kWeb, newer).ok()) << "again changes nothing";
  EXPECT_EQ(Shown(), newer);
}

TEST_F(Staple, AnEmptyOneTakesItAway) {
  ASSERT_TRUE(custody_->SetOcspResponse(kWeb, MakeOcsp(ca_, leaf_.chain[0])).ok());
  const auto removed = custody_->SetOcspResponse(kWeb, {});
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->ocsp_next_update_unix_s, 0);
  EXPECT_EQ(Shown(), tls::Bytes());
  Open();
  EXPECT_EQ(Shown(), tls::Bytes());
}

TEST_F(Staple, IsLeftOutPastItsNextUpdate) {
  const tls::Bytes response = MakeOcsp(ca_, leaf_.chain[0]);
  ASSERT_TRUE(custody_->SetOcspResponse(kWeb, response).ok());
  now_ += kDay;
  EXPECT_EQ(Shown(), response);
  ++now_;
  EXPECT_EQ(Shown(), tls::Bytes());
  --now_;
  EXPECT_EQ(Shown(), response) << "a clock that was put right";
}

TEST_F(Staple, MustBeAGoodOneOfThisLeafNow) {
  EXPECT_EQ(Refusal(MakeOcsp(ca_, ca_.Issue().chain[0])), "BAD_OCSP_RESPONSE");
  EXPECT_EQ(Refusal(MakeOcsp(ca_, leaf_.chain[0], {.status = OcspOptions::Status::kRevoked})),
            "BAD_OCSP_RESPONSE");
  EXPECT_EQ(Refusal(MakeOcsp(ca_, leaf_.chain[0], {.status = OcspOptions::Status::kUnknown})),
            "BAD_OCSP_RESPONSE");
  EXPECT_EQ(Refusal(MakeOcsp(ca_, leaf_.chain[0], {.next_update_unix_s = now_ - 3600})),
            "BAD_OCSP_RESPONSE");
  EXPECT_EQ(Refusal(MakeOcsp(ca_, leaf_.chain[0], {.unsuccessful = true})), "BAD_OCSP_RESPONSE");
  EXPECT_EQ(Refusal(MakeOcsp(tls::test::TestCa::Create("stranger"), leaf_.chain[0])),
            "BAD_OCSP_RESPONSE");
  EXPECT_EQ(Refusal({1, 2, 3}), "BAD_OCSP_RESPONSE");
  EXPECT_EQ(Refusal(tls::Bytes(16 * 1024 + 1, 0x30)), "BAD_OCSP_RESPONSE");
  tls::Bytes forged = MakeOcsp(ca_, leaf_.chain[0]);
  forged.back() ^= 1;
  EXPECT_EQ(Refusal(forged), "BAD_OCSP_RESPONSE");
  EXPECT_EQ(Refusal(MakeOcsp(ca_, leaf_.chain[0])), "");
}

// Without the issuer there is nothing to check the signature with; the serial number is checked.
TEST_F(Staple, OfAChainWithoutItsIssuer) {
  Leaf alone = ca_.Issue({.dns = {"alone.test"}});
  alone.chain_pem = tls::ToPem("CERTIFICATE", alone.chain[0]);
  ImportLeaf("shop", "alone", alone);
  const char* name = "tenants/shop/credentials/alone";
  EXPECT_EQ(ReasonOf(custody_->SetOcspResponse(name, MakeOcsp(ca_, leaf_.chain[0])).status()),
            "BAD_OCSP_RESPONSE");
  EXPECT_TRUE(custody_->SetOcspResponse(name, MakeOcsp(ca_, alone.chain[0])).ok());
}

TEST_F(Staple, NeedsAChainAndGoesWithIt) {
  const auto key = custody_->CreateKey(
      {.tenant = "shop", .key_id = "next", .type = tls::KeyType::kEcdsaP256, .request_id = ""});
  const auto pending = custody_->CreateCredential({.tenant = "shop",
                                                   .credential_id = "next",
                                                   .key = key->name,
                                                   .dns_names = {"next.test"},
                                                   .request_id = ""});
  ASSERT_TRUE(pending.ok());
  const auto chain = ca_.Certify(key->public_key_der, {.dns = {"next.test"}});
  std::string pem;
  for (const tls::Bytes& der : chain) pem += tls::ToPem("CERTIFICATE", der);
  const tls::Bytes response = MakeOcsp(ca_, chain[0]);
  const absl::Status without = custody_->SetOcspResponse(pending->name, response).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(without));
  EXPECT_EQ(ReasonOf(without), "NO_CHAIN");

  ASSERT_TRUE(custody_->SetCertificateChain(pending->name, pem).ok());
  EXPECT_TRUE(custody_->SetOcspResponse(pending->name, response).ok());
  EXPECT_FALSE(custody_->IsActive("shop", pending->name)) << "that is another step";
  // Another chain: the response was about the earlier leaf.
  EXPECT_EQ(custody_->SetCertificateChain(pending->name, pem)->ocsp_next_update_unix_s, 0);
  ASSERT_TRUE(custody_->SetOcspResponse(pending->name, response).ok());
  ASSERT_TRUE(custody_->ActivateCredential(pending->name).ok());
  const tls::Chosen chosen = custody_->Choose(
      "shop",
      {.server_name = "next.test", .schemes = {tls::SignatureScheme::kEcdsaSecp256r1Sha256}}, "",
      false);
  ASSERT_NE(chosen.credential, nullptr);
  EXPECT_EQ(chosen.credential->ocsp_response, response);
}

TEST_F(Staple, OfWhatIsNotThere) {
  EXPECT_TRUE(
      absl::IsNotFound(custody_->SetOcspResponse("tenants/bank/credentials/web", {}).status()));
  EXPECT_EQ(FieldOf(custody_->SetOcspResponse("tenants/shop/keys/web", {}).status()), "name");
}

}  // namespace
}  // namespace handfast::custody
