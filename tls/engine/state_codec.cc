#include "tls/engine/state_codec.h"

#include <utility>

#include "tls/crypto/cipher_suite.h"
#include "tls/engine/session_codec.h"
#include "tls/wire/messages.h"

namespace handfast::tls {

// Not in an unnamed namespace: a variant's alternatives are found by argument-dependent lookup.

template <class Io>
bool Fields(Io& io, SchemeSet& set) {
  uint64_t bits = set.bits();
  if (!io.Number(bits)) return false;
  set = SchemeSet::FromBits(bits);
  return true;
}

template <class Io, class T>
bool Enums(Io& io, std::vector<T>& values) {
  return io.List(values, [&](T& v) { return io.Enum(v); });
}

// ---- Values

template <class Io>
bool Fields(Io& io, Established& e) {
  return io.Enum(e.version) && io.Enum(e.cipher_suite) && io.Enum(e.group) &&
         io.Enum(e.signature_scheme) && io.Text(e.alpn) && io.Text(e.server_name) &&
         io.Text(e.credential) && Chain(io, e.peer_chain) && io.Number(e.max_fragment) &&
         io.Flag(e.resumed) && Time(io, e.not_after_unix_s);
}

template <class Io>
bool Fields(Io& io, std::unique_ptr<Established>& e) {
  if constexpr (Io::kLoading) e = std::make_unique<Established>();
  return Fields(io, *e);
}

template <class Io>
bool Fields(Io& io, std::shared_ptr<const Established>& e) {
  Established copy;
  if constexpr (!Io::kLoading) copy = *e;
  if (!Fields(io, copy)) return false;
  if constexpr (Io::kLoading) e = std::make_shared<const Established>(std::move(copy));
  return true;
}

template <class Io>
bool Fields(Io& io, std::shared_ptr<const Credential>& c) {
  // Null where a session is resumed.
  bool present = c != nullptr;
  if (!io.Flag(present)) return false;
  if (!present) return true;
  Credential copy;
  if constexpr (!Io::kLoading) copy = *c;
  if (!io.Text(copy.name) || !Chain(io, copy.chain) || !Enums(io, copy.schemes) ||
      !io.Blob(copy.ocsp_response) || !Time(io, copy.not_after_unix_s) ||
      !Fields(io, copy.signatures)) {
    return false;
  }
  if constexpr (Io::kLoading) c = std::make_shared<const Credential>(std::move(copy));
  return true;
}

template <class Io>
bool Fields(Io& io, Digest& d) {
  // Only the used bytes: the others were never written.
  Bytes bytes;
  if constexpr (!Io::kLoading) bytes = Copy(d.view());
  if (!io.Blob(bytes) || bytes.size() > kMaxDigestSize) return false;
  if constexpr (Io::kLoading) {
    d.size = bytes.size();
    std::copy(bytes.begin(), bytes.end(), d.bytes.begin());
  }
  return true;
}

template <class Io>
bool Fields(Io& io, Transcript& t) {
  Bytes hash;
  std::optional<Bytes> whole;
  if constexpr (!Io::kLoading) {
    hash = t.hash().Save();
    whole = t.whole();
  }
  if (!io.Blob(hash) || !Optional(io, whole, [&](Bytes& b) { return io.Blob(b); })) return false;
  if constexpr (Io::kLoading) {
    const std::optional<RunningHash> loaded = RunningHash::Load(hash);
    if (!loaded) return false;
    t = Transcript(*loaded, std::move(whole));
  }
  return true;
}

template <class Io>
bool Fields(Io& io, KeyPair& pair) {
  // None under static RSA.
  bool present = !pair.spent();
  if (!io.Flag(present)) return false;
  if (!present) return true;
  NamedGroup group{};
  Secret<KeyPair::kMaxPrivateKeySize> private_key;
  if constexpr (!Io::kLoading) {
    group = pair.group();
    private_key = pair.PrivateKey();
  }
  if (!io.Enum(group) || !io.SecretBytes(private_key)) return false;
  if constexpr (Io::kLoading) {
    Result<KeyPair> loaded = KeyPair::FromPrivate(group, SecretAccess::Open(private_key));
    if (!loaded.ok()) return false;
    pair = *std::move(loaded);
  }
  return true;
}

template <class Io>
bool Fields(Io& io, TrafficKeys12& k) {
  return io.Enum(k.suite) && io.SecretBytes(k.key) && io.SecretBytes(k.iv) &&
         io.Number(k.sequence) && io.SecretBytes(k.mac_key) && io.Flag(k.encrypt_then_mac);
}
template <class Io>
bool Fields(Io& io, TrafficKeys13& k) {
  return io.Enum(k.suite) && io.SecretBytes(k.secret) && io.Number(k.sequence);
}

template <class Io>
bool Fields(Io& io, Hello& h) {
  return Fields(io, h.negotiated) && io.Array(h.server_random) && io.Blob(h.legacy_session_id) &&
         io.Flag(h.record_size_limit) && io.Flag(h.status_request) && io.Flag(h.psk_dhe_ke) &&
         io.Number(h.next_question);
}
template <class Io>
bool Fields(Io& io, OfferedSession& o) {
  return io.Number(o.index) && Fields(io, o.session);
}
template <class Io>
bool Fields(Io& io, std::optional<OfferedSession>& o) {
  return Optional(io, o, [&](OfferedSession& session) { return Fields(io, session); });
}
template <class Io>
bool Fields(Io& io, Offer13& o) {
  return io.Blob(o.key_share) && Fields(io, o.first_hello) && Fields(io, o.session);
}
template <class Io>
bool Fields(Io& io, Offer12& o) {
  return Enums(io, o.cipher_suites) && io.Enum(o.curve) && io.Enum(o.ffdhe_group) &&
         io.Flag(o.extended_master_secret) && io.Flag(o.encrypt_then_mac) &&
         io.Flag(o.secure_renegotiation) && io.Flag(o.ec_point_formats) &&
         io.Flag(o.session_ticket) &&
         Optional(io, o.session, [&](Session& v) { return Fields(io, v); });
}

// ---- A variant: the alternative's index, then its fields.

template <size_t I = 0, class Variant>
bool Emplace(Variant& v, size_t index) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return false;
  } else {
    if (index != I) return Emplace<I + 1>(v, index);
    v.template emplace<I>();
    return true;
  }
}

template <class Io, class... T>
bool Fields(Io& io, std::variant<T...>& v) {
  uint8_t index = static_cast<uint8_t>(v.index());
  if (!io.Number(index)) return false;
  if constexpr (Io::kLoading) {
    if (!Emplace(v, index)) return false;
  }
  return std::visit([&](auto& alternative) { return Fields(io, alternative); }, v);
}

// ---- States

template <class Io>
bool Fields(Io& io, WaitClientHello& s) {
  return io.List(s.alpn, [&](std::string& protocol) { return io.Text(protocol); });
}
template <class Io>
bool Fields(Io& io, AwaitChoice& s) {
  return io.Number(s.question) && Fields(io, s.hello) && io.Blob(s.client_hello) &&
         Enums(io, s.schemes) && Fields(io, s.certificate_schemes) && Fields(io, s.offer);
}
template <class Io>
bool Fields(Io& io, Connected& s) {
  return Fields(io, s.established) && io.SecretBytes(s.exporter) && io.SecretBytes(s.resumption) &&
         Optional(io, s.session, [&](Session& v) { return Fields(io, v); });
}
template <class Io>
bool Fields(Io&, Failed&) {
  return false;  // nothing of a failure is worth saving
}

template <class Io>
bool Fields(Io& io, tls13::WaitRetriedClientHello& s) {
  return Fields(io, s.hello) && Fields(io, s.credential) && Fields(io, s.transcript) &&
         Fields(io, s.first_hello) && Fields(io, s.session);
}
template <class Io>
bool Fields(Io& io, tls13::AwaitPrivateKey& s) {
  return io.Number(s.question) && Fields(io, s.negotiated) && io.Number(s.next_question) &&
         Fields(io, s.transcript) && io.Blob(s.flight) && io.SecretBytes(s.main.secret) &&
         io.SecretBytes(s.client_finished_key) && io.SecretBytes(s.server_finished_key) &&
         io.Flag(s.record_size_limit) && io.Flag(s.psk_dhe_ke);
}
template <class Io>
bool Fields(Io& io, tls13::ClientFlight& f) {
  return Fields(io, f.negotiated) && io.Number(f.next_question) && Fields(io, f.transcript) &&
         io.SecretBytes(f.client_finished_key) &&
         io.SecretBytes(f.client_application_traffic_secret) && io.Number(f.max_plaintext) &&
         io.SecretBytes(f.main.secret) && io.SecretBytes(f.exporter);
}
template <class Io>
bool Fields(Io& io, tls13::WaitCertificate& s) {
  return Fields(io, s.flight);
}
template <class Io>
bool Fields(Io& io, tls13::AwaitVerdict& s) {
  return io.Number(s.question) && Fields(io, s.flight) && io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, tls13::WaitCertificateVerify& s) {
  return Fields(io, s.flight) && io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, tls13::WaitFinished& s) {
  return Fields(io, s.flight);
}

template <class Io>
bool Fields(Io& io, tls12::Resumable& r) {
  return io.Flag(r.new_session_ticket) && io.Blob(r.session_id);
}
template <class Io>
bool Fields(Io& io, tls12::KeyExchange& x) {
  return Fields(io, x.negotiated) && io.Number(x.next_question) && Fields(io, x.transcript) &&
         Fields(io, x.key_pair) && io.Array(x.client_random) && io.Array(x.server_random) &&
         io.Number(x.client_version) && io.Flag(x.extended_master_secret) &&
         io.Flag(x.encrypt_then_mac) && io.Flag(x.record_size_limit) && Fields(io, x.resumable);
}
template <class Io>
bool Fields(Io& io, tls12::AwaitPrivateKey& s) {
  return io.Number(s.question) && Fields(io, s.exchange) && io.Blob(s.flight);
}
template <class Io>
bool Fields(Io& io, tls12::WaitCertificate& s) {
  return Fields(io, s.exchange);
}
template <class Io>
bool Fields(Io& io, tls12::AwaitVerdict& s) {
  return io.Number(s.question) && Fields(io, s.exchange) && io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, tls12::WaitClientKeyExchange& s) {
  return Fields(io, s.exchange) && io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, tls12::AwaitPremaster& s) {
  return io.Number(s.question) && Fields(io, s.exchange) && io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, tls12::WaitCertificateVerify& s) {
  tls12::ClientFlight& f = s.flight;
  return Fields(io, f.negotiated) && Fields(io, f.transcript) && io.SecretBytes(f.master.secret) &&
         Fields(io, f.keys.client) && Fields(io, f.keys.server) && io.Number(f.max_plaintext) &&
         Fields(io, f.resumable) && io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, tls12::WaitFinished& s) {
  return Fields(io, s.negotiated) && Fields(io, s.transcript) && io.SecretBytes(s.master.secret) &&
         Fields(io, s.server_keys) && Fields(io, s.resumable);
}
template <class Io>
bool Fields(Io& io, tls12::WaitResumedFinished& s) {
  return Fields(io, s.negotiated) && Fields(io, s.transcript) && io.SecretBytes(s.master.secret);
}

template <class Io>
bool Fields(Io& io, client::Wanted& w) {
  return io.Text(w.server_name) &&
         io.List(w.alpn, [&](std::string& protocol) { return io.Text(protocol); });
}
template <class Io>
bool Fields(Io& io, client::Start& s) {
  return Fields(io, s.wanted) && Optional(io, s.session, [&](Session& v) { return Fields(io, v); });
}
template <class Io>
bool Fields(Io& io, client::WaitServerHello& s) {
  return Fields(io, s.wanted) && io.Blob(s.client_hello) && Fields(io, s.key_pair) &&
         Fields(io, s.fallback_pair) &&
         Optional(io, s.after_retry, [&](Transcript& t) { return Fields(io, t); }) &&
         io.Enum(s.retry_suite) && io.Number(s.next_question) &&
         Optional(io, s.session, [&](Session& v) { return Fields(io, v); });
}
template <class Io>
bool Fields(Io& io, client13::Handshake& h) {
  return Fields(io, h.negotiated) && io.Number(h.next_question) && Fields(io, h.transcript) &&
         io.SecretBytes(h.main.secret) && io.SecretBytes(h.client_finished_key) &&
         io.SecretBytes(h.server_finished_key) && io.Flag(h.record_size_limit);
}
template <class Io>
bool Fields(Io& io, client::Identity& i) {
  return io.Flag(i.requested) && Fields(io, i.credential) && io.Enum(i.scheme);
}
template <class Io>
bool Fields(Io& io, client13::WaitEncryptedExtensions& s) {
  return Fields(io, s.handshake) &&
         io.List(s.alpn, [&](std::string& protocol) { return io.Text(protocol); });
}
template <class Io>
bool Fields(Io& io, client13::WaitCertificateOrRequest& s) {
  return Fields(io, s.handshake);
}
template <class Io>
bool Fields(Io& io, client13::AwaitChoice& s) {
  return io.Number(s.question) && Fields(io, s.handshake) && Enums(io, s.schemes) &&
         Fields(io, s.certificate_schemes);
}
template <class Io>
bool Fields(Io& io, client13::WaitCertificate& s) {
  return Fields(io, s.handshake) && Fields(io, s.identity);
}
template <class Io>
bool Fields(Io& io, client13::AwaitVerdict& s) {
  return io.Number(s.question) && Fields(io, s.handshake) && Fields(io, s.identity) &&
         io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, client13::WaitCertificateVerify& s) {
  return Fields(io, s.handshake) && Fields(io, s.identity) && io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, client13::WaitFinished& s) {
  return Fields(io, s.handshake) && Fields(io, s.identity);
}
template <class Io>
bool Fields(Io& io, client13::AwaitPrivateKey& s) {
  return io.Number(s.question) && Fields(io, s.negotiated) && Fields(io, s.transcript) &&
         io.Blob(s.flight) && io.Enum(s.scheme) && io.SecretBytes(s.main.secret) &&
         io.SecretBytes(s.exporter) && io.SecretBytes(s.client_finished_key) &&
         io.SecretBytes(s.application.client) && io.SecretBytes(s.application.server) &&
         io.Flag(s.record_size_limit);
}

template <class Io>
bool Fields(Io& io, client12::Handshake& h) {
  return Fields(io, h.negotiated) && io.Number(h.next_question) && Fields(io, h.transcript) &&
         io.Array(h.client_random) && io.Array(h.server_random) &&
         io.Flag(h.extended_master_secret) && io.Flag(h.encrypt_then_mac) &&
         io.Flag(h.record_size_limit) && io.Flag(h.new_session_ticket) &&
         io.Flag(h.certificate_status) && io.Blob(h.session_id);
}
template <class Io>
bool Fields(Io& io, client12::KeyExchange& x) {
  return io.Blob(x.client_key_exchange) && io.SecretBytes(x.premaster);
}
template <class Io>
bool Fields(Io& io, client12::Ending& e) {
  uint64_t hint = e.ticket_lifetime_hint;
  if (!Fields(io, e.negotiated) || !Fields(io, e.transcript) || !io.SecretBytes(e.master.secret) ||
      !Fields(io, e.keys.client) || !Fields(io, e.keys.server) || !io.Number(e.max_plaintext) ||
      !io.Flag(e.extended_master_secret) || !io.Flag(e.new_session_ticket) ||
      !io.Blob(e.session_id) || !io.Blob(e.ticket) || !io.Number(hint) || hint > UINT32_MAX) {
    return false;
  }
  e.ticket_lifetime_hint = static_cast<uint32_t>(hint);
  return true;
}
template <class Io>
bool Fields(Io& io, client12::WaitCertificate& s) {
  return Fields(io, s.handshake);
}
template <class Io>
bool Fields(Io& io, client12::WaitCertificateStatus& s) {
  return Fields(io, s.handshake) && io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, client12::AwaitVerdict& s) {
  return io.Number(s.question) && Fields(io, s.handshake) && io.Blob(s.public_key) &&
         io.Blob(s.next_message);
}
template <class Io>
bool Fields(Io& io, client12::WaitServerKeyExchange& s) {
  return Fields(io, s.handshake) && io.Blob(s.public_key);
}
template <class Io>
bool Fields(Io& io, client12::WaitRequestOrDone& s) {
  return Fields(io, s.handshake) && Fields(io, s.exchange);
}
template <class Io>
bool Fields(Io& io, client12::AwaitChoice& s) {
  return io.Number(s.question) && Fields(io, s.handshake) && Fields(io, s.exchange) &&
         Enums(io, s.schemes) && Fields(io, s.certificate_schemes);
}
template <class Io>
bool Fields(Io& io, client12::WaitServerHelloDone& s) {
  return Fields(io, s.handshake) && Fields(io, s.exchange) && Fields(io, s.identity);
}
template <class Io>
bool Fields(Io& io, client12::AwaitPrivateKey& s) {
  return io.Number(s.question) && Fields(io, s.ending) && io.Blob(s.flight) && io.Enum(s.scheme);
}
template <class Io>
bool Fields(Io& io, client12::WaitNewSessionTicket& s) {
  return Fields(io, s.ending);
}
template <class Io>
bool Fields(Io& io, client12::WaitFinished& s) {
  return Fields(io, s.ending);
}

// ---- Questions

template <class Io>
bool Fields(Io& io, Choose& q) {
  return io.Number(q.id) && io.Enum(q.version) && io.Text(q.server_name) && Enums(io, q.schemes) &&
         Optional(io, q.session_credential, [&](std::string& name) { return io.Text(name); }) &&
         io.Blob(q.session_id) && io.Flag(q.as_client) && Chain(io, q.certificate_authorities) &&
         Fields(io, q.certificate_schemes);
}
template <class Io>
bool Fields(Io& io, Tls13ServerCertificateVerify& i) {
  return io.Blob(i.transcript_hash);
}
template <class Io>
bool Fields(Io& io, Tls13ClientCertificateVerify& i) {
  return io.Blob(i.transcript_hash);
}
template <class Io>
bool Fields(Io& io, Tls12ServerKeyExchange& i) {
  return io.Blob(i.client_random) && io.Blob(i.server_random) && io.Blob(i.params);
}
template <class Io>
bool Fields(Io& io, Tls12ClientCertificateVerify& i) {
  return io.Blob(i.handshake_messages);
}
template <class Io>
bool Fields(Io& io, Tls12RsaPremaster& i) {
  return io.Blob(i.encrypted) && io.Number(i.client_version);
}
template <class Io>
bool Fields(Io& io, UsePrivateKey& q) {
  return io.Number(q.id) && io.Text(q.credential) && io.Enum(q.scheme) && Fields(io, q.intent);
}
template <class Io>
bool Fields(Io& io, VerifyPeer& q) {
  return io.Number(q.id) && Chain(io, q.chain) && io.Blob(q.ocsp_response);
}

// ---- What the moves rely on and the fields alone do not show.

namespace {

bool SuiteFits(const Established& negotiated, const Transcript& transcript) {
  const SuiteInfo* suite = FindSuite(negotiated.cipher_suite);
  return suite != nullptr && suite->version == negotiated.version &&
         suite->hash == transcript.algorithm();
}

bool ExchangeFits(const tls12::KeyExchange& exchange) {
  return SuiteFits(*exchange.negotiated, exchange.transcript) &&
         exchange.key_pair.spent() ==
             (FindSuite(exchange.negotiated->cipher_suite)->key_exchange == SuiteKeyExchange::kRsa);
}

struct Consistent {
  bool operator()(const AwaitChoice& s) const {
    if (const auto* offer = std::get_if<Offer12>(&s.offer)) {
      return s.client_hello.size() > kHandshakeHeaderSize + 2 + kRandomSize &&
             std::all_of(offer->cipher_suites.begin(), offer->cipher_suites.end(),
                         [](CipherSuite suite) { return FindSuite(suite) != nullptr; });
    }
    const auto& session = std::get<Offer13>(s.offer).session;
    return FindSuite(s.hello.negotiated->cipher_suite) != nullptr &&
           (!session || FindSuite(session->session.cipher_suite) != nullptr);
  }
  bool operator()(const tls13::WaitRetriedClientHello& s) const {
    return SuiteFits(*s.hello.negotiated, s.transcript) &&
           (s.credential != nullptr) != s.session.has_value() &&
           (!s.session || FindSuite(s.session->session.cipher_suite) != nullptr);
  }
  bool operator()(const tls12::WaitCertificateVerify& s) const {
    return SuiteFits(*s.flight.negotiated, s.flight.transcript) && s.flight.transcript.whole();
  }
  bool operator()(const client12::AwaitVerdict& s) const {
    return SuiteFits(*s.handshake.negotiated, s.handshake.transcript) &&
           (s.next_message.empty() || s.next_message.size() >= kHandshakeHeaderSize);
  }
  bool operator()(const client::WaitServerHello& s) const {
    const bool hello_is_whole =
        s.client_hello.size() > kHandshakeHeaderSize &&
        Parse<ClientHello>(ByteView(s.client_hello).subspan(kHandshakeHeaderSize)).has_value();
    if (s.session && FindSuite(s.session->cipher_suite) == nullptr) return false;
    if (!s.after_retry) return hello_is_whole;
    const SuiteInfo* suite = FindSuite(s.retry_suite);
    return hello_is_whole && suite != nullptr && suite->hash == s.after_retry->algorithm();
  }
  template <class S>
  bool operator()(const S& s) const {
    if constexpr (requires { s.flight.negotiated; }) {
      return SuiteFits(*s.flight.negotiated, s.flight.transcript);
    } else if constexpr (requires { s.handshake; }) {
      return SuiteFits(*s.handshake.negotiated, s.handshake.transcript);
    } else if constexpr (requires { s.ending; }) {
      return SuiteFits(*s.ending.negotiated, s.ending.transcript);
    } else if constexpr (requires { s.exchange; }) {
      return ExchangeFits(s.exchange);
    } else if constexpr (requires { s.transcript; }) {
      return SuiteFits(*s.negotiated, s.transcript);
    } else {
      return true;
    }
  }
};

}  // namespace

bool SaveState(SaveFields& io, EngineState spent) { return Fields(io, spent); }

bool LoadState(LoadFields& io, EngineState& state) {
  return Fields(io, state) && std::visit(Consistent(), state);
}

bool SaveQuestion(SaveFields& io, Question& question) { return Fields(io, question); }
bool LoadQuestion(LoadFields& io, Question& question) { return Fields(io, question); }

bool SaveTrafficKeys(SaveFields& io, TrafficKeys spent) { return Fields(io, spent); }
bool LoadTrafficKeys(LoadFields& io, TrafficKeys& keys) { return Fields(io, keys); }

}  // namespace handfast::tls
