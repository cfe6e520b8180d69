#include "tests/tls/connection/scripted_client.h"

#include <algorithm>

#include "tls/crypto/kex.h"
#include "tls/crypto/x509.h"
#include "tls/engine/intent.h"
#include "tls/record/deframer.h"

namespace handfast::tls::test {
namespace {

constexpr uint8_t kChangeCipherSpecBody[] = {1};

HelloRandom AsRandom(ByteView bytes) {
  HelloRandom random{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), random.size()), random.begin());
  return random;
}

template <class M>
Bytes MessageOf(const M& message) {
  Bytes out;
  if (!AppendMessage(out, message)) out.clear();
  return out;
}

template <class Certificate>
std::vector<Bytes> ChainOf(ByteView body) {
  std::vector<Bytes> chain;
  if (const auto certificate = Parse<Certificate>(body)) {
    for (const auto& entry : certificate->certificate_list) {
      chain.push_back(Copy(entry.cert_data));
    }
  }
  return chain;
}

}  // namespace

Bytes PlainRecord(ContentType type, ByteView content, uint16_t version) {
  Bytes record;
  Writer writer(record);
  writer.U8(type);
  writer.U16(version);
  writer.Opaque16(content, {.min = 0, .max = 0xffff});
  return record;
}

ScriptedClient::ScriptedClient(ClientScript script) : script_(std::move(script)) {
  if (script_.hello.cipher_suites.empty()) script_.hello = HelloFor(script_.version);
}

Bytes ScriptedClient::Start() {
  first_hello_ = script_.hello.Message();
  whole_ = first_hello_;
  // RFC 8446 §5.1: the record of a first ClientHello may say 0x0301.
  return PlainRecord(ContentType::kHandshake, first_hello_, 0x0301);
}

Bytes ScriptedClient::Receive(ByteView from_server) {
  Append(from_server_, from_server);
  out_.clear();
  size_t used = 0;
  while (error_.empty() && !alert_) {
    const std::span<uint8_t> stream = std::span<uint8_t>(from_server_).subspan(used);
    const auto header = PeekRecord(stream, /*first_record=*/false);
    if (!header.ok()) {
      Error("bad record header");
      break;
    }
    if (!*header || stream.size() < kRecordHeaderSize + (*header)->length) break;
    used += kRecordHeaderSize + (*header)->length;
    OnRecord(stream.first(kRecordHeaderSize + (*header)->length));
  }
  from_server_.erase(from_server_.begin(), from_server_.begin() + static_cast<long>(used));
  return std::move(out_);
}

void ScriptedClient::OnRecord(std::span<uint8_t> record) {
  if (record[0] == static_cast<uint8_t>(ContentType::kChangeCipherSpec)) {
    if (armed_) {
      opener_.Install(*RecordKeys::Create(*std::move(armed_), AeadDirection::kOpen));
      armed_.reset();
    }
    return;
  }
  const Result<OpenedRecord> opened = opener_.Open(record);
  if (!opened.ok()) return Error("a record does not open");
  if (opened->type == ContentType::kAlert) {
    if (opened->fragment.size() == 2) alert_ = opened->fragment[1];
    return;
  }
  if (opened->type != ContentType::kHandshake) return Error("unexpected application data");
  Append(messages_, opened->fragment);
  while (error_.empty() && messages_.size() >= kHandshakeHeaderSize) {
    const size_t size = kHandshakeHeaderSize + (size_t{messages_[1]} << 16 |
                                                size_t{messages_[2]} << 8 | size_t{messages_[3]});
    if (messages_.size() < size) return;
    const Bytes message(messages_.begin(), messages_.begin() + static_cast<long>(size));
    messages_.erase(messages_.begin(), messages_.begin() + static_cast<long>(size));
    OnMessage(message);
  }
}

void ScriptedClient::OnMessage(ByteView message) {
  server_messages_.push_back(Copy(message));
  const auto type = static_cast<HandshakeType>(message[0]);
  const ByteView body = message.subspan(kHandshakeHeaderSize);
  if (script_.version == ProtocolVersion::kTls13) {
    On13(type, message, body);
  } else {
    On12(type, message, body);
  }
}

void ScriptedClient::Error(const std::string& what) {
  if (error_.empty()) error_ = what;
}

void ScriptedClient::Send(const Flight& flight) {
  for (const FlightRecord& record : flight) {
    if (!record.encrypted) {
      Append(out_, PlainRecord(record.type, record.content));
    } else if (!sealer_.Seal(record.type, record.content, kMaxPlaintext, out_).ok()) {
      Error("a record does not seal");
    }
  }
}

void ScriptedClient::CheckSignature(SignatureScheme scheme, ByteView content, ByteView signature) {
  if (!script_.check_signature) return;
  if (server_chain_.empty()) return Error("no certificate before its signature");
  const Result<CertificateInfo> leaf = ReadCertificate(server_chain_.front());
  if (!leaf.ok() ||
      !VerifySignature(script_.version, scheme, leaf->public_key_der, content, signature)) {
    Error("the server's signature is wrong");
  }
}

Bytes ScriptedClient::Sign(Bytes content) const {
  if (script_.edit_signed_content) script_.edit_signed_content(content);
  const Result<Bytes> signature = script_.certificate->Key().Sign(script_.scheme, content);
  return signature.ok() ? *signature : Bytes{0};
}

// ---- TLS 1.3

void ScriptedClient::On13(HandshakeType type, ByteView message, ByteView body) {
  if (type == HandshakeType::kServerHello) return OnServerHello13(message, body);
  if (type == HandshakeType::kFinished) return OnServerFinished13(message, body);
  if (type == HandshakeType::kCertificateVerify) {
    const auto verify = Parse<CertificateVerify>(body);
    if (!verify) return Error("CertificateVerify does not parse");
    const Intent intent = Tls13ServerCertificateVerify{Copy(transcript_.Current().view())};
    CheckSignature(verify->algorithm, ContentToSign(intent), verify->signature);
  }
  if (type == HandshakeType::kCertificate) server_chain_ = ChainOf<tls13::Certificate>(body);
  if (type == HandshakeType::kCertificateRequest) certificate_requested_ = true;
  transcript_.Add(message);
}

void ScriptedClient::OnServerHello13(ByteView message, ByteView body) {
  const auto hello = Parse<ServerHello>(body);
  if (!hello) return Error("ServerHello does not parse");
  suite_ = FindSuite(hello->cipher_suite);
  server_random_ = Copy(hello->random);
  if (suite_ == nullptr || suite_->version != ProtocolVersion::kTls13) return Error("no 1.3 suite");
  if (Equal(hello->random, kHelloRetryRequestRandom)) return OnRetry(*hello, message);
  const Extension* extension = Find(hello->extensions, ExtensionType::kKeyShare);
  const auto share = extension ? Parse<KeyShareServerHello>(extension->data) : std::nullopt;
  if (!share) return Error("no key_share");
  const NamedGroup group = share->server_share.group;
  Result<SharedSecret> shared =
      (*KeyPair::FromPrivate(group, ClientScalar(group))).Derive(share->server_share.key_exchange);
  if (!shared.ok()) return Error("bad key share");
  if (!retried_) {
    transcript_ = Transcript(suite_->hash);
    transcript_.Add(first_hello_);
  }
  transcript_.Add(message);
  HandshakeSecret handshake = ToHandshake(suite_->hash, *std::move(shared));
  TrafficSecrets traffic = HandshakeTraffic(suite_->hash, handshake, transcript_.Current());
  client_finished_key_ = FinishedKey(suite_->hash, traffic.client);
  server_finished_key_ = FinishedKey(suite_->hash, traffic.server);
  main_ = ToMain(suite_->hash, std::move(handshake));
  sealer_.Install(*RecordKeys::Create(TrafficKeys13{suite_->suite, std::move(traffic.client), 0},
                                      AeadDirection::kSeal));
  opener_.Install(*RecordKeys::Create(TrafficKeys13{suite_->suite, std::move(traffic.server), 0},
                                      AeadDirection::kOpen));
}

void ScriptedClient::OnRetry(const ServerHello& retry, ByteView message) {
  if (retried_) return Error("a second HelloRetryRequest");
  retried_ = true;
  const Extension* extension = Find(retry.extensions, ExtensionType::kKeyShare);
  const auto selected =
      extension ? Parse<KeyShareHelloRetryRequest>(extension->data) : std::nullopt;
  if (!selected) return Error("no selected_group");
  HelloFields hello = script_.hello;
  hello.Set(ExtensionType::kKeyShare, KeyShareBody({selected->selected_group}));
  if (script_.edit_second_hello) script_.edit_second_hello(hello);
  const Bytes second = hello.Message();
  transcript_ = Transcript::AfterRetry(suite_->hash, first_hello_);
  transcript_.Add(message);
  transcript_.Add(second);
  if (!hello.session_id.empty()) {
    Append(out_, PlainRecord(ContentType::kChangeCipherSpec, kChangeCipherSpecBody));
  }
  Append(out_, PlainRecord(ContentType::kHandshake, second));
}

void ScriptedClient::OnServerFinished13(ByteView message, ByteView body) {
  const HashAlgorithm hash = suite_->hash;
  if (!Equal(body, FinishedVerifyData(hash, server_finished_key_, transcript_.Current()).view())) {
    return Error("the server's Finished is wrong");
  }
  transcript_.Add(message);
  TrafficSecrets application = ApplicationTraffic(hash, main_, transcript_.Current());
  Flight flight;
  // RFC 8446 §D.4: one, before the second flight.
  if (!script_.hello.session_id.empty() && !retried_) {
    flight.push_back({ContentType::kChangeCipherSpec, Copy(kChangeCipherSpecBody), false});
  }
  const auto add = [&](Bytes handshake_message) {
    transcript_.Add(handshake_message);
    flight.push_back({ContentType::kHandshake, std::move(handshake_message), true});
  };
  if (certificate_requested_) {
    tls13::Certificate certificate;
    if (script_.certificate != nullptr) {
      for (const Bytes& der : script_.certificate->chain) {
        certificate.certificate_list.push_back({der, {}});
      }
    }
    add(MessageOf(certificate));
    if (script_.certificate != nullptr) {
      const Bytes signature =
          Sign(ContentToSign(Tls13ClientCertificateVerify{Copy(transcript_.Current().view())}));
      add(MessageOf(CertificateVerify{script_.scheme, signature}));
    }
  }
  const Digest verify_data = FinishedVerifyData(hash, client_finished_key_, transcript_.Current());
  add(MessageOf(Finished{verify_data.view()}));
  if (script_.edit_flight) script_.edit_flight(flight);
  Send(flight);
  sealer_.Install(*RecordKeys::Create(
      TrafficKeys13{suite_->suite, std::move(application.client), 0}, AeadDirection::kSeal));
  opener_.Install(*RecordKeys::Create(
      TrafficKeys13{suite_->suite, std::move(application.server), 0}, AeadDirection::kOpen));
  done_ = true;
}

// ---- TLS 1.2

void ScriptedClient::On12(HandshakeType type, ByteView message, ByteView body) {
  switch (type) {
    case HandshakeType::kServerHello:
      return OnServerHello12(message, body);
    case HandshakeType::kCertificate:
      server_chain_ = ChainOf<tls12::Certificate>(body);
      break;
    case HandshakeType::kServerKeyExchange:
      OnServerKeyExchange(body);
      break;
    case HandshakeType::kCertificateRequest:
      certificate_requested_ = true;
      break;
    case HandshakeType::kServerHelloDone:
      Append(whole_, message);
      return OnServerHelloDone();
    case HandshakeType::kFinished: {
      const auto expected = FinishedVerifyData12(suite_->hash, master_, "server finished",
                                                 Hash(suite_->hash, whole_));
      if (!Equal(body, expected)) return Error("the server's Finished is wrong");
      done_ = true;
      break;
    }
    default:
      return Error("an unknown message");
  }
  Append(whole_, message);
}

void ScriptedClient::OnServerKeyExchange(ByteView body) {
  const auto signed_by = [&](const auto& exchange) {
    const Intent intent =
        Tls12ServerKeyExchange{script_.hello.random, server_random_, Serialize(exchange.params)};
    CheckSignature(exchange.algorithm, ContentToSign(intent), exchange.signature);
  };
  if (suite_->key_exchange == SuiteKeyExchange::kDhe) {
    const auto exchange = Parse<tls12::DheServerKeyExchange>(body);
    if (!exchange) return Error("ServerKeyExchange does not parse");
    for (NamedGroup group :
         {NamedGroup::kFfdhe2048, NamedGroup::kFfdhe3072, NamedGroup::kFfdhe4096}) {
      if (Equal(ParametersOf(group).p, exchange->params.dh_p)) group_ = group;
    }
    server_public_ = Copy(exchange->params.dh_ys);
    return signed_by(*exchange);
  }
  const auto exchange = Parse<tls12::ServerKeyExchange>(body);
  if (!exchange) return Error("ServerKeyExchange does not parse");
  group_ = exchange->params.named_curve;
  server_public_ = Copy(exchange->params.point);
  signed_by(*exchange);
}

// RFC 5246 §7.4.7.1, RFC 8017 §7.2.1.
Bytes ScriptedClient::RsaExchangeKeys(SharedSecret& premaster) {
  constexpr size_t kPremasterSize = 48;
  const Result<CertificateInfo> leaf = ReadCertificate(server_chain_.front());
  if (!leaf.ok()) return {};
  Bytes secret(kPremasterSize, 0x2b);
  secret[0] = static_cast<uint8_t>(script_.hello.legacy_version >> 8);
  secret[1] = static_cast<uint8_t>(script_.hello.legacy_version);
  premaster = *SharedSecret::From(secret);
  const Bytes probe = RsaEncryptRaw(leaf->public_key_der, Bytes(256, 0));
  Bytes block(probe.empty() ? 384 : 256, 0x5c);
  block[0] = 0;
  block[1] = 2;
  block[block.size() - kPremasterSize - 1] = 0;
  std::copy(secret.begin(), secret.end(), block.end() - kPremasterSize);
  if (script_.edit_rsa_block) script_.edit_rsa_block(block);
  return Serialize(tls12::EncryptedPremasterSecret{RsaEncryptRaw(leaf->public_key_der, block)});
}

// What ClientKeyExchange says; the premaster secret is left in `premaster`.
Bytes ScriptedClient::ExchangeKeys(SharedSecret& premaster) {
  if (suite_->key_exchange == SuiteKeyExchange::kRsa) return RsaExchangeKeys(premaster);
  Result<KeyPair> pair = KeyPair::FromPrivate(group_, ClientScalar(group_));
  if (!pair.ok()) {
    Error("an unknown group");
    return {};
  }
  const bool dhe = IsFfdhe(group_);
  Bytes keys = dhe ? Serialize(tls12::ClientDhPublic{pair->public_key()})
                   : Serialize(tls12::ClientEcdhPublic{pair->public_key()});
  Result<SharedSecret> z = (*std::move(pair)).Derive(server_public_);
  if (!z.ok()) {
    Error("a bad public value");
    return {};
  }
  premaster = dhe ? WithoutLeadingZeros(*std::move(z)) : *std::move(z);
  return keys;
}

void ScriptedClient::OnServerHello12(ByteView message, ByteView body) {
  const auto hello = Parse<ServerHello>(body);
  if (!hello) return Error("ServerHello does not parse");
  suite_ = FindSuite(hello->cipher_suite);
  if (suite_ == nullptr || suite_->version != ProtocolVersion::kTls12) return Error("no 1.2 suite");
  server_random_ = Copy(hello->random);
  extended_master_secret_ =
      Find(hello->extensions, ExtensionType::kExtendedMasterSecret) != nullptr;
  encrypt_then_mac_ = Find(hello->extensions, ExtensionType::kEncryptThenMac) != nullptr;
  Append(whole_, message);
}

void ScriptedClient::OnServerHelloDone() {
  Flight flight;
  const auto add = [&](Bytes message) {
    Append(whole_, message);
    flight.push_back({ContentType::kHandshake, std::move(message), false});
  };
  if (certificate_requested_) {
    tls12::Certificate certificate;
    if (script_.certificate != nullptr) {
      for (const Bytes& der : script_.certificate->chain) {
        certificate.certificate_list.push_back({der});
      }
    }
    add(MessageOf(certificate));
  }
  SharedSecret premaster;
  const Bytes exchange_keys = ExchangeKeys(premaster);
  if (exchange_keys.empty()) return;
  add(MessageOf(tls12::ClientKeyExchange{exchange_keys}));
  const HelloRandom ours = AsRandom(script_.hello.random);
  const HelloRandom theirs = AsRandom(server_random_);
  master_ =
      extended_master_secret_
          ? ExtendedMasterSecret(suite_->hash, std::move(premaster), Hash(suite_->hash, whole_))
          : PlainMasterSecret(suite_->hash, std::move(premaster), ours, theirs);
  KeyBlock keys = ExpandKeys(*suite_, master_, ours, theirs, encrypt_then_mac_);
  if (certificate_requested_ && script_.certificate != nullptr) {
    const Bytes signature = Sign(whole_);
    add(MessageOf(CertificateVerify{script_.scheme, signature}));
  }
  flight.push_back({ContentType::kChangeCipherSpec, Copy(kChangeCipherSpecBody), false});
  const auto verify_data =
      FinishedVerifyData12(suite_->hash, master_, "client finished", Hash(suite_->hash, whole_));
  add(MessageOf(Finished{verify_data}));
  flight.back().encrypted = true;
  sealer_.Install(*RecordKeys::Create(std::move(keys.client), AeadDirection::kSeal));
  armed_ = std::move(keys.server);
  if (script_.edit_flight) script_.edit_flight(flight);
  Send(flight);
}

}  // namespace handfast::tls::test
