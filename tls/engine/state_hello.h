// The start that both versions share, in the server role: from nothing to the choice of a
// credential. Each struct holds only what exists in its state and is move-only.
#ifndef HANDFAST_TLS_ENGINE_STATE_HELLO_H_
#define HANDFAST_TLS_ENGINE_STATE_HELLO_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/reason.h"
#include "tls/engine/established.h"
#include "tls/engine/key_schedule12.h"
#include "tls/engine/session.h"

namespace handfast::tls {

struct WaitClientHello {
  static constexpr std::string_view kName = "WaitClientHello";
  std::vector<std::string> alpn;  // what may be negotiated, best first
};

// What a ClientHello leaves for later, by the version that was negotiated.
struct Offer13 {
  // The share of the negotiated group; empty: it must be asked for with a HelloRetryRequest.
  Bytes key_share;
  // Where it is empty: of what the second ClientHello must repeat.
  Digest first_hello;
  // The first of the peer's sessions that fits; its binder was right.
  std::optional<OfferedSession> session;
};
struct Offer12 {
  // Common ones, best first, that the groups below or static RSA allow.
  std::vector<CipherSuite> cipher_suites;
  // For the ECDHE and the DHE suites; 0 where there is none.
  NamedGroup curve{};
  NamedGroup ffdhe_group{};
  bool extended_master_secret = false;
  bool encrypt_then_mac = false;
  bool secure_renegotiation = false;
  bool ec_point_formats = false;
  bool session_ticket = false;     // RFC 5077: the client takes tickets
  std::optional<Session> session;  // the one of its ticket, where it fits
};

// What both versions keep of the two hellos.
struct Hello {
  std::unique_ptr<Established> negotiated;
  HelloRandom server_random{};
  Bytes legacy_session_id;
  // Extensions that were offered and that an answer must acknowledge.
  bool record_size_limit = false;
  // An OCSP response was asked for.
  bool status_request = false;
  // TLS 1.3: the peer can resume with psk_dhe_ke, so that tickets are of use to it.
  bool psk_dhe_ke = false;
  // The ids of this handshake's questions count up from here.
  uint64_t next_question = 0;
};

struct AwaitChoice {
  static constexpr std::string_view kName = "AwaitChoice";
  uint64_t question = 0;
  Hello hello;
  Bytes client_hello;  // the whole message: which hash it enters is not known yet in TLS 1.2
  std::vector<SignatureScheme> schemes;  // as in Choose
  SchemeSet certificate_schemes;         // likewise
  std::variant<Offer13, Offer12> offer;
};

// The end that both versions share.
struct Connected {
  static constexpr std::string_view kName = "Connected";
  std::shared_ptr<const Established> established;
  // TLS 1.3; empty where there is none.
  HashSecret exporter;    // exporter_master_secret
  HashSecret resumption;  // resumption_master_secret, as a client
  // TLS 1.2: what the caller may keep: as a client, and as a server of one that goes by its id.
  std::optional<Session> session;
};
struct Failed {
  static constexpr std::string_view kName = "Failed";
  Reason reason = Reason::kInternalError;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_STATE_HELLO_H_
