// Every message and every extension: written, read and written again; cut at every byte; each of
// its lengths altered; something behind it (T11 of the threat table: Heartbleed's class).
#include <set>

#include <gtest/gtest.h>

#include "tests/tls/wire/length_probe.h"
#include "tls/wire/extensions.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

Bytes Pattern(size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(0xa0 + i);
  return bytes;
}

const Bytes kRandom = Pattern(32);
const Bytes kOpaque = Pattern(7);
const Bytes kOther = Pattern(3);

// What stands in for an extension's data, and a block of two.
Extensions SomeExtensions() {
  return {{ExtensionType::kServerName, kOpaque}, {ExtensionType::kExtendedMasterSecret, {}}};
}

// A sample of each layout, with more than one item wherever there is a list.
template <class T>
struct Sample {
  T value{};
  // Sizes at which a prefix is a whole message too.
  std::set<size_t> legal_cuts = {};
  // The last field takes all that follows.
  bool open_ended = false;
};

template <class T>
Sample<T> MakeSample();

#define HANDFAST_SAMPLE(Type, ...) \
  template <>                      \
  Sample<Type> MakeSample() {      \
    return __VA_ARGS__;            \
  }

HANDFAST_SAMPLE(ClientHello, {{ProtocolVersion::kTls12,
                               kRandom,
                               kOpaque,
                               {CipherSuite::kTlsAes128GcmSha256, CipherSuite::kFallbackScsv},
                               kOther,
                               true,
                               SomeExtensions()},
                              {2 + 32 + 1 + 7 + 2 + 4 + 1 + 3}})
HANDFAST_SAMPLE(ServerHello, {{ProtocolVersion::kTls12, kRandom, kOpaque,
                               CipherSuite::kTlsAes128GcmSha256, 0, true, SomeExtensions()},
                              {2 + 32 + 1 + 7 + 2 + 1}})
HANDFAST_SAMPLE(EncryptedExtensions, {{SomeExtensions()}})
HANDFAST_SAMPLE(CertificateVerify, {{SignatureScheme::kEd25519, kOpaque}})
HANDFAST_SAMPLE(CertificateStatus, {{kStatusTypeOcsp, kOpaque}})
HANDFAST_SAMPLE(CertificateStatusRequest, {{kStatusTypeOcsp, kOpaque, kOpaque, {}}})
HANDFAST_SAMPLE(Finished, {{kRandom}, {}, true})
HANDFAST_SAMPLE(ServerHelloDone, {})
HANDFAST_SAMPLE(KeyUpdate, {{1}})
HANDFAST_SAMPLE(AlertMessage, {{2, 40}})
HANDFAST_SAMPLE(tls13::CertificateRequest, {{kOther, SomeExtensions()}})
HANDFAST_SAMPLE(tls13::Certificate, {{kOther, {{kOpaque, SomeExtensions()}, {kOther, {}}}}})
HANDFAST_SAMPLE(tls12::Certificate, {{{{kOpaque}, {kOther}}}})
HANDFAST_SAMPLE(tls12::ServerEcdhParams, {{3, NamedGroup::kX25519, kOpaque}})
HANDFAST_SAMPLE(tls12::ServerKeyExchange,
                {{{3, NamedGroup::kX25519, kOpaque}, SignatureScheme::kEd25519, kOther}})
HANDFAST_SAMPLE(tls12::CertificateRequest,
                {{kOther,
                  {SignatureScheme::kEd25519, SignatureScheme::kRsaPkcs1Sha256},
                  {{kOpaque}, {kOther}}}})
HANDFAST_SAMPLE(tls12::ClientKeyExchange, {{kOpaque}, {}, true})
HANDFAST_SAMPLE(tls12::ClientEcdhPublic, {{kOpaque}})
HANDFAST_SAMPLE(tls12::ClientDhPublic, {{kOpaque}})
HANDFAST_SAMPLE(tls12::EncryptedPremasterSecret, {{kOpaque}})
HANDFAST_SAMPLE(tls12::ServerDhParams, {{kOpaque, kOther, kRandom}})
HANDFAST_SAMPLE(tls12::DheServerKeyExchange,
                {{{kOpaque, kOther, kRandom}, SignatureScheme::kRsaPssRsaeSha256, kOther}})

HANDFAST_SAMPLE(ServerNameList, {{{{0, kOpaque}, {1, kOther}}}})
HANDFAST_SAMPLE(ProtocolNameList, {{{{kOpaque}, {kOther}}}})
HANDFAST_SAMPLE(SupportedVersionsClientHello,
                {{{ProtocolVersion::kTls13, ProtocolVersion::kTls12}}})
HANDFAST_SAMPLE(SupportedVersionsServerHello, {{ProtocolVersion::kTls13}})
HANDFAST_SAMPLE(NamedGroupList, {{{NamedGroup::kX25519, NamedGroup::kSecp256r1}}})
HANDFAST_SAMPLE(SignatureSchemeList,
                {{{SignatureScheme::kEd25519, SignatureScheme::kRsaPssRsaeSha256}}})
HANDFAST_SAMPLE(KeyShareClientHello,
                {{{{NamedGroup::kX25519, kOpaque}, {NamedGroup::kSecp256r1, kOther}}}})
HANDFAST_SAMPLE(KeyShareServerHello, {{{NamedGroup::kX25519, kOpaque}}})
HANDFAST_SAMPLE(KeyShareHelloRetryRequest, {{NamedGroup::kX25519}})
HANDFAST_SAMPLE(Cookie, {{kOpaque}})
HANDFAST_SAMPLE(RecordSizeLimit, {{16385}})
HANDFAST_SAMPLE(RenegotiationInfo, {{kOpaque}})
HANDFAST_SAMPLE(EcPointFormatList, {{kOther}})
HANDFAST_SAMPLE(CertificateAuthorities, {{{{kOpaque}, {kOther}}}})

template <class T>
class LayoutTest : public testing::Test {};

using Layouts = testing::Types<
    ClientHello, ServerHello, EncryptedExtensions, CertificateVerify, CertificateStatus,
    CertificateStatusRequest, Finished, ServerHelloDone, KeyUpdate, AlertMessage,
    tls13::CertificateRequest, tls13::Certificate, tls12::Certificate, tls12::ServerEcdhParams,
    tls12::ServerKeyExchange, tls12::CertificateRequest, tls12::ClientKeyExchange,
    tls12::ClientEcdhPublic, tls12::ClientDhPublic, tls12::EncryptedPremasterSecret,
    tls12::ServerDhParams, tls12::DheServerKeyExchange, ServerNameList, ProtocolNameList,
    SupportedVersionsClientHello, SupportedVersionsServerHello, NamedGroupList, SignatureSchemeList,
    KeyShareClientHello, KeyShareServerHello, KeyShareHelloRetryRequest, Cookie, RecordSizeLimit,
    RenegotiationInfo, EcPointFormatList, CertificateAuthorities>;
TYPED_TEST_SUITE(LayoutTest, Layouts);

TYPED_TEST(LayoutTest, T11_RoundTrip) {
  const auto sample = MakeSample<TypeParam>();
  const Bytes bytes = Serialize(sample.value);
  const auto parsed = Parse<TypeParam>(bytes);
  ASSERT_TRUE(parsed.has_value()) << ToHex(bytes);
  EXPECT_EQ(ToHex(Serialize(*parsed)), ToHex(bytes));
}

TYPED_TEST(LayoutTest, T11_TruncatedAtEveryByte) {
  const auto sample = MakeSample<TypeParam>();
  const Bytes bytes = Serialize(sample.value);
  for (size_t size = 0; size < bytes.size(); ++size) {
    // Its own allocation, so that an over-read is seen.
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const bool legal = sample.open_ended || sample.legal_cuts.contains(size);
    EXPECT_EQ(Parse<TypeParam>(cut).has_value(), legal) << size << " of " << bytes.size();
  }
}

TYPED_TEST(LayoutTest, T11_TrailingBytes) {
  const auto sample = MakeSample<TypeParam>();
  if (sample.open_ended) return;
  Bytes bytes = Serialize(sample.value);
  bytes.push_back(0);
  EXPECT_FALSE(Parse<TypeParam>(bytes).has_value());
  bytes.resize(bytes.size() + 300);
  EXPECT_FALSE(Parse<TypeParam>(bytes).has_value());
}

// One less, one more, none, and all ones: refused, or read as something else that is written as
// the very same bytes.
TYPED_TEST(LayoutTest, T11_EveryLengthAltered) {
  const auto sample = MakeSample<TypeParam>();
  const Bytes bytes = Serialize(sample.value);
  for (const LengthField& field : LengthFieldsOf(sample.value)) {
    const uint64_t length = LengthAt(bytes, field);
    const uint64_t all_ones = (uint64_t{1} << (8 * field.width)) - 1;
    for (uint64_t altered : {length - 1, length + 1, uint64_t{0}, all_ones}) {
      if ((altered & all_ones) == length) continue;
      const Bytes mutant = WithLength(bytes, field, altered);
      const auto parsed = Parse<TypeParam>(mutant);
      if (parsed) {
        EXPECT_EQ(ToHex(Serialize(*parsed)), ToHex(mutant)) << field.offset << " = " << altered;
      }
    }
    EXPECT_FALSE(Parse<TypeParam>(WithLength(bytes, field, all_ones)).has_value()) << field.offset;
  }
}

// The negative control of the test above: the probe does find the lengths.
TEST(LengthProbe, FindsEveryLength) {
  const auto sample = MakeSample<ClientHello>();
  const Bytes bytes = Serialize(sample.value);
  std::vector<uint64_t> lengths;
  for (const LengthField& field : LengthFieldsOf(sample.value)) {
    lengths.push_back(LengthAt(bytes, field));
  }
  EXPECT_EQ(lengths, (std::vector<uint64_t>{7, 4, 3, 15, 7, 0}));
}

TEST(AppendMessage, WritesHeaderAndBody) {
  Bytes out = {0xff};
  ASSERT_TRUE(AppendMessage(out, KeyUpdate{1}));
  EXPECT_EQ(ToHex(out), "ff1800000101");
  out.clear();
  ASSERT_TRUE(AppendMessage(out, ServerHelloDone()));
  EXPECT_EQ(ToHex(out), "0e000000");
}

}  // namespace
}  // namespace handfast::tls::test
