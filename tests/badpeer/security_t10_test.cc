// T10, DROWN, POODLE and what is no TLS at all: SSLv2, SSL 3.0, TLS 1.0 and 1.1 are never parsed
// beyond what tells them apart, in either role; other protocols get no answer. The control is the
// sound flight. (A server's first bytes one by one: tests/tls/connection, T10_NotTls.)
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

constexpr Place kHello{0, 0};

using T10_OldVersions = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T10_OldVersions, testing::ValuesIn(kSides), SideName);

// Refused without a word.
testing::AssertionResult IsClosedSilently(const Outcome& outcome) {
  if (outcome.reason != Describe(Reason::kNotTls).label || outcome.alert || outcome.alert_at_peer) {
    return testing::AssertionFailure() << outcome;
  }
  return testing::AssertionSuccess();
}

TEST_P(T10_OldVersions, OtherProtocolsAreClosedSilently) {
  const std::string_view others[] = {
      "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n",
      "220 example.test ESMTP\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
  std::vector<Bytes> streams;
  for (const std::string_view text : others) streams.push_back(Copy(AsBytes(text)));
  // SSLv2: CLIENT-HELLO and SERVER-HELLO, of SSLv2 itself and of the form that offers SSL 3.0 up.
  streams.push_back(*FromHex("802e0100020015000000100100800700c00300800600400200800400800011"));
  streams.push_back(*FromHex("802b0103030012000000100000050000040000350011223344556677889900"));
  streams.push_back(*FromHex("83060400010002030000000610010080"));
  for (const Bytes& stream : streams) {
    const Meeting meeting(side(), {OnWire(kHello, [stream](Bytes& record) { record = stream; })});
    EXPECT_TRUE(IsClosedSilently(Try(meeting))) << ToHex(stream);
  }
  EXPECT_FALSE(IsClosedSilently(Try(Meeting(side()))));  // the control
}

// A whole hello in a record of another protocol's version: what it is, its type and body say.
TEST_P(T10_OldVersions, TheRecordsMajorVersionSaysNothing) {
  for (const int major : {0, 1, 2, 4, 5, 127, 254, 255}) {
    const Meeting meeting(
        side(),
        {OnWire(kHello, [major](Bytes& record) { record[1] = static_cast<uint8_t>(major); })});
    EXPECT_TRUE(Succeeded(Try(meeting))) << major;
  }
}

// RFC 8446 §5.1: legacy_record_version "MUST be ignored for all purposes"; so it decides nothing.
TEST_P(T10_OldVersions, TheRecordsMinorVersionSaysNothing) {
  for (const int minor : {0, 1, 2, 3, 4, 255}) {
    const Meeting meeting(
        side(),
        {OnWire(kHello, [minor](Bytes& record) { record[2] = static_cast<uint8_t>(minor); })});
    EXPECT_TRUE(Succeeded(Try(meeting))) << minor;
  }
}

// RFC 8996 §4 and §5, RFC 8446 §D.5.
TEST(T10_ServerRefuses, OldVersions) {
  for (const uint16_t version : {0x0002, 0x0200, 0x0300, 0x0301, 0x0302}) {
    Meeting meeting(kServer12);
    meeting.hello.legacy_version = version;
    EXPECT_TRUE(Refused(Try(meeting), Reason::kUnsupportedVersion, Alert::kProtocolVersion))
        << version;
  }
  for (const char* list : {"020300", "020301", "020302", "06030203010300", "027f17"}) {
    const Meeting meeting(kServer13,
                          {SetExtension<ClientHello>(kHello, ExtensionType::kSupportedVersions,
                                                     FromHex(list).value())});
    EXPECT_TRUE(Refused(Try(meeting), Reason::kUnsupportedVersion, Alert::kProtocolVersion))
        << list;
  }
  EXPECT_TRUE(Succeeded(Try(Meeting(kServer12))));  // the controls
  const Script and_old_ones = {SetExtension<ClientHello>(kHello, ExtensionType::kSupportedVersions,
                                                         FromHex("080300030103020304").value())};
  EXPECT_TRUE(Succeeded(Try(Meeting(kServer13, and_old_ones))));
}

TEST(T10_ClientRefuses, OldVersions) {
  for (const uint16_t version : {0x0002, 0x0200, 0x0300, 0x0301, 0x0302, 0x0303}) {
    const Script script = {RemoveExtension<ServerHello>(kHello, ExtensionType::kSupportedVersions),
                           EditAs<ServerHello>(kHello, "Version", [version](ServerHello& m) {
                             m.legacy_version = static_cast<ProtocolVersion>(version);
                           })};
    EXPECT_TRUE(RefusedWith(Try(Meeting(kClient13, script)), {Alert::kProtocolVersion})) << version;
  }
  // RFC 8446 §4.1.3: legacy_version "MUST be set to 0x0303" beside the extension; §D.5: 0x0300 is
  // protocol_version whatever else there is.
  for (const uint16_t version : {0x0002, 0x0300, 0x0301, 0x0302, 0x0304}) {
    const Script script = {EditAs<ServerHello>(kHello, "Version", [version](ServerHello& m) {
      m.legacy_version = static_cast<ProtocolVersion>(version);
    })};
    const Outcome outcome = Try(Meeting(kClient13, script));
    EXPECT_TRUE(version <= 0x0300
                    ? Refused(outcome, Reason::kUnsupportedVersion, Alert::kProtocolVersion)
                    : Refused(outcome, Reason::kVersionNotOffered, Alert::kIllegalParameter))
        << version;
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
