// T25: stapled OCSP responses. Each way in which one can be wrong, beside the one that is right.
#include "tls/crypto/ocsp.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/tls/crypto/test_revocation.h"

namespace handfast::tls {
namespace {

using test::kDay;
using test::kNow;
using test::Leaf;
using test::MakeOcsp;
using test::OcspOptions;
using test::TestCa;
using Status = OcspOptions::Status;

class Ocsp : public testing::Test {
 protected:
  OcspVerdict Verify(const Bytes& response, int64_t now = kNow) const {
    return VerifyOcspStaple(response, leaf_.chain[0], ca_.certificate(), now);
  }
  std::string Label(const OcspVerdict& verdict) const {
    EXPECT_EQ(verdict.reason.has_value(), !verdict.detail.empty());
    EXPECT_EQ(ERR_peek_error(), 0u);
    return verdict.reason ? std::string(Describe(*verdict.reason).label) : "";
  }
  std::string By(const Leaf& responder, OcspOptions options = {}) const {
    options.responder = &responder;
    const OcspVerdict verdict = Verify(MakeOcsp(ca_, leaf_.chain[0], options));
    EXPECT_TRUE(!verdict.reason || verdict.reason == Reason::kBadOcspResponse);
    return verdict.detail;
  }

  const TestCa ca_ = TestCa::Create("root");
  const Leaf leaf_ = ca_.Issue({.dns = {"a.test"}});
};

TEST_F(Ocsp, TheIssuersWordIsTaken) {
  const OcspVerdict good = Verify(MakeOcsp(ca_, leaf_.chain[0]));
  EXPECT_EQ(Label(good), "");
  EXPECT_EQ(good.next_update_unix_s, kNow + kDay);
  EXPECT_EQ(Label(Verify(MakeOcsp(ca_, leaf_.chain[0], {.by_key = false}))), "");
  EXPECT_EQ(Label(Verify(MakeOcsp(ca_, leaf_.chain[0], {.sha256_id = true}))), "");
}

TEST_F(Ocsp, OfEachKindOfKey) {
  for (KeyType type : {KeyType::kRsa2048, KeyType::kEcdsaP384, KeyType::kEd25519}) {
    const TestCa ca = TestCa::Create("root", {.type = type});
    const Leaf leaf = ca.Issue();
    EXPECT_EQ(
        Label(VerifyOcspStaple(MakeOcsp(ca, leaf.chain[0]), leaf.chain[0], ca.certificate(), kNow)),
        "")
        << Name(type);
  }
}

TEST_F(Ocsp, RevokedAndUnknownAreNotGood) {
  EXPECT_EQ(Label(Verify(MakeOcsp(ca_, leaf_.chain[0], {.status = Status::kRevoked}))),
            "certificate_revoked");
  EXPECT_EQ(Label(Verify(MakeOcsp(ca_, leaf_.chain[0], {.status = Status::kUnknown}))),
            "bad_ocsp_response");
  EXPECT_EQ(Label(Verify(MakeOcsp(ca_, leaf_.chain[0], {.status = Status::kGood}))), "");
}

TEST_F(Ocsp, AnswersForAnotherCertificateAreNone) {
  const Leaf other = ca_.Issue();
  EXPECT_EQ(Verify(MakeOcsp(ca_, other.chain[0])).detail,
            "the response is about another certificate");
  // The same serial number below another authority.
  const TestCa stranger = TestCa::Create("stranger");
  EXPECT_EQ(Verify(MakeOcsp(stranger, leaf_.chain[0])).detail,
            "the response is about another certificate");
  EXPECT_EQ(VerifyOcspStaple(MakeOcsp(ca_, other.chain[0]), other.chain[0], ca_.certificate(), kNow)
                .detail,
            "");
}

TEST_F(Ocsp, IsOfItsTimeAndAStatedSkew) {
  const Bytes response = MakeOcsp(ca_, leaf_.chain[0],
                                  {.this_update_unix_s = kNow, .next_update_unix_s = kNow + kDay});
  EXPECT_EQ(Verify(response, kNow).detail, "");
  EXPECT_EQ(Verify(response, kNow - kOcspClockSkewS).detail, "");
  EXPECT_EQ(Verify(response, kNow - kOcspClockSkewS - 1).detail, "the response is not yet valid");
  EXPECT_EQ(Verify(response, kNow + kDay + kOcspClockSkewS).detail, "");
  EXPECT_EQ(Verify(response, kNow + kDay + kOcspClockSkewS + 1).detail, "the response has expired");
}

TEST_F(Ocsp, WithoutNextUpdateItLastsADay) {
  const Bytes response =
      MakeOcsp(ca_, leaf_.chain[0], {.this_update_unix_s = kNow, .next_update = false});
  EXPECT_EQ(Verify(response, kNow).next_update_unix_s, kNow + kOcspLifetimeWithoutNextUpdateS);
  EXPECT_EQ(Verify(response, kNow + kDay).detail, "");
  EXPECT_EQ(Verify(response, kNow + kDay + kOcspClockSkewS + 1).detail, "the response has expired");
}

TEST_F(Ocsp, TimesInDisorderAreRefused) {
  EXPECT_EQ(Verify(MakeOcsp(ca_, leaf_.chain[0],
                            {.this_update_unix_s = kNow + 100, .next_update_unix_s = kNow}))
                .detail,
            "nextUpdate is before thisUpdate");
}

TEST_F(Ocsp, ADelegateNeedsTheUsage) {
  const Leaf delegate = ca_.Issue({.common_name = "ocsp", .usages = "OCSPSigning"});
  EXPECT_EQ(By(delegate), "");
  EXPECT_EQ(By(delegate, {.by_key = false}), "");
  const std::string refused = "the responder is not authorized to sign OCSP responses";
  EXPECT_EQ(By(ca_.Issue({.server = true})), refused);
  EXPECT_EQ(By(ca_.Issue({.usages = "anyExtendedKeyUsage"})), refused);
  EXPECT_EQ(By(ca_.Issue({.extended_key_usage = false})), refused);
  EXPECT_EQ(By(leaf_), refused) << "the certificate answers for itself";
}

// RFC 6960 §4.2.2.2.
TEST_F(Ocsp, ADelegateIsOfTheIssuerItself) {
  const std::string refused = "the responder was not certified by the issuer of the certificate";
  EXPECT_EQ(By(TestCa::Create("stranger").Issue({.usages = "OCSPSigning"})), refused);
  EXPECT_EQ(By(TestCa::Create("root").Issue({.usages = "OCSPSigning"})), refused)
      << "the same name, another key";
  EXPECT_EQ(By(ca_.Intermediate("below").Issue({.usages = "OCSPSigning"})), refused);
  EXPECT_EQ(By(ca_.Issue({.usages = "OCSPSigning"})), "");
}

TEST_F(Ocsp, ADelegateIsValidAndStrong) {
  const std::string invalid = "the responder's certificate is not valid now";
  EXPECT_EQ(By(ca_.Issue({.not_after_unix_s = kNow - 1, .usages = "OCSPSigning"})), invalid);
  EXPECT_EQ(By(ca_.Issue({.not_before_unix_s = kNow + 1, .usages = "OCSPSigning"})), invalid);
  EXPECT_EQ(By(ca_.Issue({.usages = "OCSPSigning", .sha1 = true})),
            "the responder's certificate is weak");
  EXPECT_EQ(By(ca_.Issue({.usages = "OCSPSigning", .rsa_bits = 1024})),
            "the responder's key is weak");
  EXPECT_EQ(By(ca_.Issue({.usages = "OCSPSigning", .rsa_bits = 2048})), "");
}

TEST_F(Ocsp, ADelegateMustBeSentAlong) {
  const Leaf delegate = ca_.Issue({.usages = "OCSPSigning"});
  EXPECT_EQ(By(delegate, {.with_certificate = false}), "the responder is unknown");
  EXPECT_EQ(By(delegate, {.with_certificate = true}), "");
}

TEST_F(Ocsp, AWeakSignatureIsRefused) {
  EXPECT_EQ(Verify(MakeOcsp(ca_, leaf_.chain[0], {.sha1_signature = true})).detail,
            "the signature is weak");
}

TEST_F(Ocsp, AForgedOneIsFound) {
  Bytes response = MakeOcsp(ca_, leaf_.chain[0]);
  EXPECT_EQ(Verify(response).detail, "");
  response.back() ^= 1;
  EXPECT_EQ(Label(Verify(response)), "bad_ocsp_response");
  // Signed by a stranger under the issuer's name: MakeOcsp's issuer is also the signer.
  const TestCa impostor = TestCa::Create("root");
  EXPECT_EQ(Label(Verify(MakeOcsp(impostor, leaf_.chain[0], {.by_key = false}))),
            "bad_ocsp_response");
}

TEST_F(Ocsp, NoByteCanBeChanged) {
  for (const Status status : {Status::kGood, Status::kRevoked}) {
    const Bytes response = MakeOcsp(ca_, leaf_.chain[0], {.status = status});
    for (size_t i = 0; i < response.size(); ++i) {
      Bytes changed = response;
      changed[i] ^= 0x40;
      EXPECT_TRUE(Verify(changed).reason.has_value()) << "byte " << i;
    }
  }
}

TEST_F(Ocsp, WhatDoesNotParseIsRefusedAtEachByte) {
  const Bytes response = MakeOcsp(ca_, leaf_.chain[0]);
  for (size_t size = 0; size < response.size(); ++size) {
    const Bytes cut(response.begin(), response.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(Label(Verify(cut)), "bad_ocsp_response") << size;
  }
  Bytes longer = response;
  longer.push_back(0);
  EXPECT_EQ(Label(Verify(longer)), "bad_ocsp_response");
  EXPECT_EQ(Label(Verify(MakeOcsp(ca_, leaf_.chain[0], {.unsuccessful = true}))),
            "bad_ocsp_response");
  EXPECT_EQ(Label(VerifyOcspStaple(response, Bytes{1}, ca_.certificate(), kNow)),
            "bad_ocsp_response");
  EXPECT_EQ(Label(VerifyOcspStaple(response, leaf_.chain[0], Bytes(), kNow)), "bad_ocsp_response");
}

TEST_F(Ocsp, WithoutTheIssuerTheSerialAndTheTimesAreChecked) {
  const auto check = [&](const Bytes& response, int64_t now = kNow) {
    return CheckOcspWithoutIssuer(response, leaf_.chain[0], now).detail;
  };
  EXPECT_EQ(check(MakeOcsp(ca_, leaf_.chain[0])), "");
  EXPECT_EQ(check(MakeOcsp(ca_, ca_.Issue().chain[0])),
            "the response is about another certificate");
  EXPECT_EQ(check(MakeOcsp(ca_, leaf_.chain[0]), kNow + 2 * kDay), "the response has expired");
  EXPECT_EQ(check(MakeOcsp(ca_, leaf_.chain[0], {.status = Status::kRevoked})),
            "the responder says: revoked");
  EXPECT_EQ(check(Bytes{1, 2, 3}), "the response does not parse, or says that there is none");
  EXPECT_EQ(CheckOcspWithoutIssuer(MakeOcsp(ca_, leaf_.chain[0]), Bytes{1}, kNow).reason,
            Reason::kBadOcspResponse);
}

}  // namespace
}  // namespace handfast::tls
