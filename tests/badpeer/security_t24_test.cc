// T24, ALPACA: a protocol or a name that is not ours ends the handshake. (unrecognized_name by
// policy: tests/tls/connection, T24_ServerName; by the edge's routes: tests/client/edge.)
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

Outcome WithProtocols(const Side& side, const std::vector<std::string>& ours,
                      const std::vector<std::string>& theirs) {
  Meeting meeting(side);
  meeting.options.alpn = ours;
  meeting.peer_options.alpn = theirs;
  std::vector<ProtocolName> names;
  for (const std::string& name : theirs) names.push_back({AsBytes(name)});
  if (theirs.empty()) meeting.hello.Remove(ExtensionType::kAlpn);
  if (!theirs.empty()) meeting.hello.Set(ExtensionType::kAlpn, Serialize(ProtocolNameList{names}));
  return Try(meeting);
}

// RFC 7301 §3.2.
TEST(T24_Protocols, NoneInCommonIsRefused) {
  for (const Side& side : {kServer13, kServer12}) {
    for (const char* theirs : {"ftp", "imap", "smtp", "h", "h22", "H2"}) {
      EXPECT_TRUE(Refused(WithProtocols(side, {"h2"}, {theirs}), Reason::kNoCommonProtocol,
                          Alert::kNoApplicationProtocol))
          << theirs;
    }
    EXPECT_TRUE(Succeeded(WithProtocols(side, {"h2"}, {"ftp", "h2"})));  // the controls
    EXPECT_TRUE(Succeeded(WithProtocols(side, {}, {"ftp"})));
    EXPECT_TRUE(Succeeded(WithProtocols(side, {"h2"}, {})));
  }
}

// RFC 7301 §3.1: one, and one of those that were offered.
TEST(T24_Protocols, AServersOtherChoiceIsRefused) {
  const Place extensions = Find(SoundFlights(kClient13), HandshakeType::kEncryptedExtensions);
  const auto with = [&](const Bytes& body) {
    Meeting meeting(kClient13,
                    {SetExtension<EncryptedExtensions>(extensions, ExtensionType::kAlpn, body)});
    meeting.options.alpn = {"h2"};
    meeting.peer_options.alpn = {"h2"};
    return Try(meeting);
  };
  EXPECT_TRUE(Refused(with({0, 4, 3, 'f', 't', 'p'}), Reason::kProtocolNotOffered,
                      Alert::kIllegalParameter));
  EXPECT_TRUE(RefusedWith(with({0, 7, 2, 'h', '2', 3, 'f', 't', 'p'}),
                          {Alert::kIllegalParameter, Alert::kDecodeError}));
  EXPECT_TRUE(RefusedWith(with({0, 0}), {Alert::kDecodeError}));
  EXPECT_TRUE(Succeeded(with({0, 3, 2, 'h', '2'})));  // the control
}

TEST(T24_Protocols, AnAnswerThatNobodyAskedForIsRefused) {
  const Place extensions = Find(SoundFlights(kClient13), HandshakeType::kEncryptedExtensions);
  const Meeting meeting(kClient13, {SetExtension<EncryptedExtensions>(
                                       extensions, ExtensionType::kAlpn, {0, 3, 2, 'h', '2'})});
  EXPECT_TRUE(Refused(Try(meeting), Reason::kUnsolicitedExtension, Alert::kUnsupportedExtension));
}

// RFC 6066 §3: names that are none.
TEST(T24_ServerName, WhatIsNoHostNameIsRefused) {
  const auto with = [](const Side& side, const std::string& name) {
    const Bytes body = Serialize(ServerNameList{{{0, AsBytes(name)}}});
    Meeting meeting(side);
    meeting.hello.Set(ExtensionType::kServerName, body);
    if (side.tls13()) {
      meeting.script = {SetExtension<ClientHello>({0, 0}, ExtensionType::kServerName, body)};
    }
    return Try(meeting);
  };
  for (const Side& side : {kServer13, kServer12}) {
    for (const std::string& name :
         {std::string("a/b"), std::string("a\0b", 3), std::string("a b"), std::string("..")}) {
      EXPECT_TRUE(Refused(with(side, name), Reason::kBadServerName, Alert::kIllegalParameter))
          << name;
    }
    EXPECT_TRUE(Succeeded(with(side, "EXAMPLE.test")));  // the control
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
