#include "tests/badpeer/alert_causes.h"

#include <utility>

#include "tests/badpeer/asking.h"
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/proof.h"

namespace handfast::tls::badpeer {
namespace {

constexpr Place kHello{0, 0};

class Rows {
 public:
  void Add(Alert alert, Reason reason, const Meeting& meeting, const char* words) {
    causes.push_back({alert, reason, meeting.side, words, [meeting] { return Try(meeting); }});
  }
  std::vector<Cause> causes;
};

Place PlaceOf(const Side& side, HandshakeType type) { return Find(SoundFlights(side), type); }

Meeting Changed(const Side& side, const std::function<void(Meeting&)>& change) {
  Meeting meeting(side);
  change(meeting);
  return meeting;
}

Outgoing Plain(ContentType type, Bytes content) { return {type, std::move(content)}; }

// What each side refuses alike.
void AddCommon(const Side& side, Rows& rows) {
  const Place finished = PlaceOf(side, HandshakeType::kFinished);
  const Place verify = ProofIn(side, SoundFlights(side));
  const Place certificate = PlaceOf(side, HandshakeType::kCertificate);
  const Place last = PlaceOf(side, HandshakeType::kFinished);
  rows.Add(Alert::kUnexpectedMessage, Reason::kUnexpectedMessage, {side, {Swap(certificate)}},
           "RFC 8446 §6.2, RFC 5246 §7.2.2: an inappropriate message was received");
  rows.Add(Alert::kUnexpectedMessage, Reason::kEmptyHandshakeRecord,
           {side, {InsertRecord(kHello, Plain(ContentType::kHandshake, {}))}},
           "RFC 8446 §5.1: an empty fragment of handshake type");
  rows.Add(Alert::kUnexpectedMessage, Reason::kUnexpectedChangeCipherSpec,
           {side, {InsertRecord(certificate, Plain(ContentType::kChangeCipherSpec, {2}))}},
           "RFC 8446 §5, RFC 5246 §7.1: ChangeCipherSpec is one byte, 1");
  rows.Add(Alert::kBadRecordMac, Reason::kBadRecordMac,
           {side, {OnWire(last, [](Bytes& record) { record.back() ^= 1; })}},
           "RFC 8446 §6.2, RFC 5246 §7.2.2: a record cannot be deprotected");
  rows.Add(Alert::kRecordOverflow, Reason::kRecordOverflow,
           {side,
            {OnWire(kHello,
                    [](Bytes& r) {
                      r = test::WithLength(r, {3, 2}, 16641);
                    })}},
           "RFC 8446 §6.2, RFC 5246 §7.2.2: a record is longer than 2^14+256 bytes");
  rows.Add(Alert::kDecodeError, Reason::kDecodeError,
           {side,
            {Mutate(finished, "Empty",
                    [](Outgoing& record) {
                      record.content = {record.content[0], 0, 0, 0};
                    })}},
           "RFC 8446 §6.2, RFC 5246 §7.2.2: the length of the message is incorrect");
  rows.Add(Alert::kDecodeError, Reason::kDecodeError,
           {side, {InsertRecord(kHello, Plain(ContentType::kAlert, {2}))}},
           "RFC 8446 §6: an alert of another size than two bytes");
  rows.Add(Alert::kDecryptError, Reason::kFinishedMismatch, {side, {FlipBit(finished, 40)}},
           "RFC 8446 §6.2, RFC 5246 §7.2.2: unable to validate a Finished message");
  rows.Add(Alert::kDecryptError, Reason::kBadSignature, {side, {FlipBit(verify, 80)}},
           "RFC 8446 §6.2, RFC 5246 §7.2.2: unable to correctly verify a signature");
  rows.Add(Alert::kIllegalParameter, Reason::kSchemeNotOffered,
           {side, {SetScheme(side, verify, SignatureScheme::kEcdsaSha1)}},
           "RFC 8446 §6.2 and §4.4.3, RFC 5246 §7.4.8: a scheme that was not offered");
  rows.Add(Alert::kIllegalParameter, Reason::kMessageTooLong,
           {side, {SetLength(finished, {1, 3}, 0xffffff)}},
           "RFC 8446 §6.2: a field was out of range (a message of 16 MB)");
  rows.Add(Alert::kUnknownCa, Reason::kUnknownCa,
           Changed(side, [](Meeting& m) { m.kit.clients = nullptr; }),
           "RFC 8446 §6.2, RFC 5246 §7.2.2: no known trust anchor");
}

void AddServers(Rows& rows) {
  rows.Add(Alert::kInsufficientSecurity, Reason::kNoCommonFfdheGroup,
           Changed(kServer12,
                   [](Meeting& m) {
                     m.kit.profile = LegacyProfile();
                     m.hello.cipher_suites = {CipherSuite::kDheRsaAes128GcmSha256};
                     m.hello.Set(ExtensionType::kSupportedGroups, Bytes{0, 2, 0x01, 0x03});
                   }),
           "RFC 7919 §4, RFC 5246 §7.2.2: of the finite field groups none is acceptable");
  for (const Side& side : {kServer13, kServer12}) {
    rows.Add(Alert::kHandshakeFailure, Reason::kNoCommonCipherSuite,
             Changed(side,
                     [&](Meeting& m) {
                       const std::vector<CipherSuite> null = {static_cast<CipherSuite>(1)};
                       m.hello.cipher_suites = null;
                       if (m.side.tls13()) {
                         m.script = {EditAs<ClientHello>(
                             kHello, "Null", [null](auto& h) { h.cipher_suites = null; })};
                       }
                     }),
             "RFC 8446 §6.2 and §4.1.1, RFC 5246 §7.2.2: no acceptable set of parameters");
    rows.Add(Alert::kHandshakeFailure, Reason::kNoCredential,
             Changed(side, [](Meeting& m) { m.kit.credential = nullptr; }),
             "RFC 8446 §4.4.2.2: no suitable certificate");
    rows.Add(Alert::kNoApplicationProtocol, Reason::kNoCommonProtocol,
             Changed(side,
                     [](Meeting& m) {
                       m.options.alpn = {"imap"};
                       m.peer_options.alpn = {"h2"};
                     }),
             "RFC 8446 §6.2, RFC 7301 §3.2: no protocol in common");
    rows.Add(Alert::kUnexpectedMessage, Reason::kUnexpectedMessage,
             {side, {InsertRecord(kHello, Plain(ContentType::kApplicationData, {'x'}))}},
             "RFC 8446 §5: an unexpected record type comes first");
    const Alert none = side.tls13() ? Alert::kCertificateRequired : Alert::kHandshakeFailure;
    rows.Add(none, Reason::kNoClientCertificate,
             Changed(side,
                     [](Meeting& m) {
                       m.certificate = nullptr;
                       m.peer_kit.credential = nullptr;
                     }),
             side.tls13() ? "RFC 8446 §6.2: a client certificate was desired but none was provided"
                          : "RFC 5246 §7.4.6: the client sends no certificate");
  }
  rows.Add(Alert::kMissingExtension, Reason::kMissingExtension,
           {kServer13, {RemoveExtension<ClientHello>(kHello, ExtensionType::kSignatureAlgorithms)}},
           "RFC 8446 §6.2 and §9.2: a mandatory extension is missing");
  rows.Add(
      Alert::kHandshakeFailure, Reason::kExtendedMasterSecretRequired,
      Changed(kServer12, [](Meeting& m) { m.hello.Remove(ExtensionType::kExtendedMasterSecret); }),
      "RFC 7627 §5.2: no extended master secret");
  rows.Add(
      Alert::kHandshakeFailure, Reason::kRenegotiationInfoRequired,
      Changed(kServer12, [](Meeting& m) { m.hello.Remove(ExtensionType::kRenegotiationInfo); }),
      "RFC 5746 §3.6: no secure renegotiation");
  rows.Add(Alert::kProtocolVersion, Reason::kUnsupportedVersion,
           Changed(kServer12, [](Meeting& m) { m.hello.legacy_version = 0x0302; }),
           "RFC 8446 §6.2, RFC 5246 §7.2.2: a version that is recognized but not supported");
  rows.Add(Alert::kInappropriateFallback, Reason::kInappropriateFallback,
           Changed(kServer12,
                   [](Meeting& m) { m.hello.cipher_suites.push_back(CipherSuite::kFallbackScsv); }),
           "RFC 8446 §6.2, RFC 7507 §3: an invalid connection retry");
  rows.Add(Alert::kUnsupportedExtension, Reason::kUnsolicitedExtension,
           {kServer13,
            {EditAs<tls13::Certificate>(
                PlaceOf(kServer13, HandshakeType::kCertificate), "Staple",
                [](auto& m) {
                  m.certificate_list[0].extensions = {{ExtensionType::kStatusRequest, {}}};
                })}},
           "RFC 8446 §4.4.2: extensions that correspond to none of CertificateRequest's");
}

void AddClient(Rows& rows) {
  const Place extensions = PlaceOf(kClient13, HandshakeType::kEncryptedExtensions);
  rows.Add(Alert::kUnsupportedExtension, Reason::kUnsolicitedExtension,
           {kClient13,
            {SetExtension<EncryptedExtensions>(extensions, static_cast<ExtensionType>(0x1234),
                                               Bytes{})}},
           "RFC 8446 §6.2: an extension that was not offered");
  rows.Add(Alert::kIllegalParameter, Reason::kMisplacedExtension,
           {kClient13,
            {SetExtension<EncryptedExtensions>(extensions, ExtensionType::kKeyShare, Bytes{0, 0})}},
           "RFC 8446 §4.2: an extension that is not of this message");
  rows.Add(Alert::kMissingExtension, Reason::kMissingExtension,
           {kClient13, {RemoveExtension<ServerHello>(kHello, ExtensionType::kKeyShare)}},
           "RFC 8446 §6.2 and §9.2: a mandatory extension is missing");
  rows.Add(Alert::kProtocolVersion, Reason::kUnsupportedVersion,
           {kClient13, {RemoveExtension<ServerHello>(kHello, ExtensionType::kSupportedVersions)}},
           "RFC 8446 §6.2 and §D.1: a version that the client does not support");
  rows.Add(Alert::kDecodeError, Reason::kDecodeError,
           {kClient13,
            {EditAs<tls13::Certificate>(PlaceOf(kClient13, HandshakeType::kCertificate), "Empty",
                                        [](auto& m) { m.certificate_list.clear(); })}},
           "RFC 8446 §4.4.2.4: the server's Certificate is empty");
}

// ---- Certificates, by which the verdict is found.

test::Leaf LeafOf(const test::TestCa& ca, test::LeafOptions options) {
  options.type = KeyType::kEd25519;
  options.dns = {"example.test"};
  return ca.Issue(options);
}

// The peer shows `leaf`, and `ca` is trusted.
Meeting Showing(const Side& side, const test::TestCa& ca, const test::Leaf& leaf) {
  Meeting meeting(side);
  meeting.kit.clients = std::make_shared<const TrustBundle>(ca.Bundle());
  const test::ServerKit shown = test::ServerKit::For(leaf);
  meeting.peer_kit.credential = shown.credential;
  meeting.peer_kit.key = shown.key;
  meeting.certificate = std::make_shared<const test::Leaf>(leaf);
  return meeting;
}

void AddCertificates(const Side& side, Rows& rows) {
  static const test::TestCa ca = test::TestCa::Create("root");
  const auto show = [&](test::LeafOptions options) {
    return Showing(side, ca, LeafOf(ca, std::move(options)));
  };
  rows.Add(Alert::kCertificateExpired, Reason::kCertificateExpired,
           show({.not_after_unix_s = test::kNow - test::kDay, .client = true}),
           "RFC 8446 §6.2, RFC 5246 §7.2.2: a certificate has expired");
  rows.Add(Alert::kCertificateExpired, Reason::kCertificateExpired,
           show({.not_before_unix_s = test::kNow + test::kDay, .client = true}),
           "RFC 8446 §6.2, RFC 5246 §7.2.2: a certificate is not currently valid");
  rows.Add(Alert::kUnsupportedCertificate, Reason::kUnsupportedCertificate,
           show({.server = side.server, .client = !side.server}),
           "RFC 8446 §6.2, RFC 5246 §7.2.2: a certificate of an unsupported type (purpose)");
  rows.Add(Alert::kUnsupportedCertificate, Reason::kUnsupportedCertificate,
           show({.client = true, .unknown_critical = true}),
           "RFC 5280 §4.2: a critical extension that nobody knows");
  test::Leaf corrupt = LeafOf(ca, {.client = true});
  corrupt.chain[0].back() ^= 1;
  rows.Add(Alert::kBadCertificate, Reason::kBadCertificate, Showing(side, ca, corrupt),
           "RFC 8446 §6.2, RFC 5246 §7.2.2: a signature in the chain does not verify");
  test::Leaf garbage = LeafOf(ca, {.client = true});
  garbage.chain[0] = {0x30, 0x00};
  rows.Add(Alert::kBadCertificate, Reason::kBadCertificate, Showing(side, ca, garbage),
           "RFC 8446 §6.2, RFC 5246 §7.2.2: a certificate was corrupt");
}

}  // namespace

std::vector<Cause> CausesInMessages() {
  Rows rows;
  for (const Side& side : kSides) {
    AddCommon(side, rows);
    AddCertificates(side, rows);
  }
  AddServers(rows);
  AddClient(rows);
  return std::move(rows.causes);
}

std::vector<Cause> CausesInAnswers() {
  std::vector<Cause> causes;
  const auto verdict = [&](const Side& side, Reason reason, const char* words) {
    causes.push_back({*Describe(reason).alert13, reason, side, words, [side, reason] {
                        return TryAsking(Meeting(side), [reason](const Question& question) {
                          const auto* verify = std::get_if<VerifyPeer>(&question);
                          return verify == nullptr ? std::nullopt
                                                   : std::optional<Input>(
                                                         Answer(PeerVerdict{verify->id, reason}));
                        });
                      }});
  };
  for (const Side& side : kSides) {
    verdict(side, Reason::kCertificateRevoked,
            "RFC 8446 §6.2, RFC 5246 §7.2.2: the verdict: revoked by its signer");
    verdict(side, Reason::kWeakCertificate, "RFC 8446 §4.4.2.4: the verdict: MD5, SHA-1, or short");
    verdict(side, Reason::kCrlExpired,
            "RFC 8446 §6.2, RFC 5246 §7.2.2: the verdict: nobody can say whether it is revoked");
    verdict(side, Reason::kCrlUnusable,
            "RFC 8446 §6.2, RFC 5246 §7.2.2: the verdict: the lists cannot be read");
    verdict(side, Reason::kIdentityNotAllowed,
            "RFC 8446 §6.2, RFC 5246 §7.2.2: the verdict: a valid certificate, and not welcome");
    verdict(side, Reason::kBadOcspResponse, "RFC 6066 §8: the verdict: a staple that is wrong");
    verdict(side, Reason::kNoOcspResponse, "RFC 6066 §8: the verdict: a staple is missing");
    verdict(side, Reason::kTrustUnavailable, "RFC 8446 §6.2: the verdict could not be had");
  }
  for (const Side& side : {kServer13, kServer12}) {
    for (const Reason reason : {Reason::kPrivateKeyFailed, Reason::kPrivateKeyRefused}) {
      causes.push_back({Alert::kInternalError, reason, side,
                        "RFC 8446 §6.2, RFC 5246 §7.2.2: an error unrelated to the peer (our key)",
                        [side, reason] {
                          return TryAsking(Meeting(side), [reason](const Question& question) {
                            const auto* use = std::get_if<UsePrivateKey>(&question);
                            return use == nullptr ? std::nullopt
                                                  : std::optional<Input>(Answer(
                                                        PrivateKeyUsed{use->id, {}, reason}));
                          });
                        }});
    }
    causes.push_back({Alert::kUnrecognizedName, Reason::kUnrecognizedName, side,
                      "RFC 8446 §6.2, RFC 6066 §3: no server of that name", [side] {
                        return TryAsking(Meeting(side), [](const Question& question) {
                          const auto* choose = std::get_if<Choose>(&question);
                          return choose == nullptr
                                     ? std::nullopt
                                     : std::optional<Input>(Answer(
                                           Chosen{choose->id, nullptr, Reason::kUnrecognizedName}));
                        });
                      }});
    for (const Reason reason : {Reason::kDeadlineExceeded, Reason::kHandshakeAborted}) {
      causes.push_back({Alert::kInternalError, reason, side, "RFC 8446 §6.2: the owner gives up",
                        [side, reason] {
                          return TryAsking(Meeting(side), [reason](const Question&) {
                            return std::optional<Input>(GiveUp{reason});
                          });
                        }});
    }
  }
  return causes;
}

const std::vector<NeverSent>& AlertsNeverSent() {
  static const std::vector<NeverSent> never = {
      {Alert::kCloseNotify,
       "ends a connection, not a handshake: tests/client/core, SaysAndHearsCloseNotify"},
      {Alert::kUserCanceled, "RFC 8446 §6.1: for a user's wish; who gives up here has an error"},
      {Alert::kNoRenegotiation,
       "answers after the handshake: tests/client/core, RefusesRenegotiationOnceThenFatally; RFC "
       "8446 §6 forbids it in TLS 1.3"},
      {Alert::kUnknownPskIdentity,
       "RFC 8446 §6.2: OPTIONAL; a session that is unknown leads to a full handshake"},
  };
  return never;
}

}  // namespace handfast::tls::badpeer
