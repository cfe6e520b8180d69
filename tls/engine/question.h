// The three questions at which Step stops, and their answers. Who am I? Can you prove it? Do I
// trust them? A question carries an id; an answer with another id is dropped, so that answers may
// come late, twice, or to a connection that was saved and restored in between.
#ifndef HANDFAST_TLS_ENGINE_QUESTION_H_
#define HANDFAST_TLS_ENGINE_QUESTION_H_

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/reason.h"
#include "tls/base/registry.h"
#include "tls/base/scheme_set.h"
#include "tls/base/secret.h"
#include "tls/engine/intent.h"
#include "tls/engine/session.h"

namespace handfast::tls {

// What is presented to the peer.
struct Credential {
  std::string name;                      // the holder's own name for it; reported, not sent
  std::vector<Bytes> chain;              // DER, leaf first
  std::vector<SignatureScheme> schemes;  // that the key can sign with
  Bytes ocsp_response = {};              // DER, for who asks for it; may be empty
  int64_t not_after_unix_s = INT64_MAX;  // of the chain's first certificate to end
  // Of its certificates: SignaturesOf(chain). Empty: whoever gives it answers for its fitting.
  SchemeSet signatures = {};
};

// Who am I? Asked once, after the first ClientHello.
struct Choose {
  uint64_t id = 0;
  ProtocolVersion version = ProtocolVersion::kTls13;
  std::string server_name;  // lower case; empty where the peer named none
  // The profile's schemes that the peer takes and that this version, the common suites and the
  // peer's curves leave; best first. The credential's key must be able to sign with one of them.
  // Empty where the peer's session is all that can be used.
  std::vector<SignatureScheme> schemes;
  // Set where the peer brought a session that fits: the credential that it was made with.
  std::optional<std::string> session_credential = std::nullopt;
  // TLS 1.2: the id of a session that the peer would resume and that the caller may have kept;
  // empty: none, or a ticket was brought that fits.
  Bytes session_id = {};
  // The server asks us for a certificate: `server_name` is then its name, a credential may be
  // refused, and these are the distinguished names (DER) of the authorities that it takes; empty:
  // any.
  bool as_client = false;
  std::vector<Bytes> certificate_authorities = {};
  // What the peer takes in the chain's certificates. A credential whose signatures it covers comes
  // before one of others, which can be shown in TLS 1.3 alone, and there by a server alone.
  SchemeSet certificate_schemes = {};
};

struct Chosen {
  uint64_t question = 0;
  // Null: refused, for `refusal` (kNoCredential, kUnrecognizedName, ...).
  std::shared_ptr<const Credential> credential;
  Reason refusal = Reason::kNoCredential;
  // Resume the session, where one was offered: nothing else of the answer is then looked at.
  bool resume = false;
  // TLS 1.2: what was kept under the question's session_id; null: nothing. Where it does not fit
  // after all, the credential is looked at.
  std::shared_ptr<const Session> session = nullptr;
};

// Can you prove it?
struct UsePrivateKey {
  uint64_t id = 0;
  std::string credential;  // Credential::name
  // For a premaster secret: the one that was chosen with the credential, of no further use.
  SignatureScheme scheme{};
  Intent intent;
};

struct PrivateKeyUsed {
  uint64_t question = 0;
  // What the intent asked for; neither: it failed, for `refusal` (kPrivateKeyFailed,
  // kPrivateKeyRefused, ...).
  Bytes signature;
  Reason refusal = Reason::kPrivateKeyFailed;
  // Shared, for an answer may be copied and a secret not.
  std::shared_ptr<const RsaPremaster> premaster = nullptr;

  bool ok() const { return !signature.empty() || premaster != nullptr; }
};

// Do I trust them?
struct VerifyPeer {
  uint64_t id = 0;
  std::vector<Bytes> chain;  // DER, leaf first, never empty
  Bytes ocsp_response = {};  // DER, on the leaf, as the server stapled it; empty: it did not
};

struct PeerVerdict {
  uint64_t question = 0;
  // Nullopt: trusted. Else kUnknownCa, kCertificateExpired, ...
  std::optional<Reason> refusal;
  int64_t not_after_unix_s = INT64_MAX;  // of the chain's first certificate to end
};

using Question = std::variant<Choose, UsePrivateKey, VerifyPeer>;
using Answer = std::variant<Chosen, PrivateKeyUsed, PeerVerdict>;

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_QUESTION_H_
