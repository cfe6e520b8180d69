#include "tests/badpeer/engine_peer.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tls/engine/state_codec.h"
#include "tls/wire/messages.h"

namespace handfast::tls::badpeer {
namespace {

constexpr uint8_t kChangeCipherSpecBody[] = {1};

EngineState StartOf(const EnginePeerOptions& options) {
  if (!options.kit.as_client) return WaitClientHello{options.connection.alpn};
  client::Start start{{options.connection.server_name, options.connection.alpn}, std::nullopt};
  if (options.session) start.session = options.session();
  return start;
}

// Saving spends the state: two copies come back.
std::pair<EngineState, EngineState> Fork(EngineState spent) {
  Bytes saved;
  SaveFields save(saved);
  std::pair<EngineState, EngineState> both;
  bool ok = SaveState(save, std::move(spent));
  for (EngineState* copy : {&both.first, &both.second}) {
    Reader reader{ByteView(saved)};
    LoadFields load(reader);
    ok = ok && LoadState(load, *copy);
  }
  if (!ok) std::abort();
  return both;
}

HashAlgorithm HashOf(const Established& negotiated) {
  return FindSuite(negotiated.cipher_suite)->hash;
}

bool IsFirstClientHello(const Outgoing& record) {
  return IsMessage(record, HandshakeType::kClientHello) &&
         record.content.size() >= kHandshakeHeaderSize &&
         test::LengthAt(record.content, {1, 3}) + kHandshakeHeaderSize == record.content.size();
}

}  // namespace

EnginePeer::EnginePeer(EnginePeerOptions options)
    : options_(std::move(options)), state_(StartOf(options_)), writer_(options_.script) {}

Context EnginePeer::context() {
  return {options_.kit.profile, randomness_, options_.kit.ticket_keys.get(),
          options_.kit.session_binding, options_.kit.now_unix_s};
}

Bytes EnginePeer::Begin() {
  auto* start = std::get_if<client::Start>(&state_);
  if (start == nullptr) return {};
  Apply(client::Begin(std::move(*start), context()));
  Bytes out = writer_.Flush();
  RememberHello();
  return out;
}

Bytes EnginePeer::Receive(ByteView bytes) {
  Append(input_, bytes);
  size_t used = 0;
  while (!over()) {
    const std::span<uint8_t> stream = std::span<uint8_t>(input_).subspan(used);
    const auto header = PeekRecord(stream, /*first_record=*/false);
    if (!header.ok()) {
      reason_ = Describe(header.reason()).label;
      break;
    }
    if (!*header || stream.size() < kRecordHeaderSize + (*header)->length) break;
    used += kRecordHeaderSize + (*header)->length;
    OnRecord(stream.first(kRecordHeaderSize + (*header)->length));
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(used));
  Bytes out = writer_.Flush();
  RememberHello();
  return out;
}

void EnginePeer::OnRecord(std::span<uint8_t> record) {
  constexpr size_t kPlainAlert = kRecordHeaderSize + 2;
  const auto type = static_cast<ContentType>(record[0]);
  if (type == ContentType::kChangeCipherSpec) {
    if (armed_) InstallRead(*std::exchange(armed_, std::nullopt));
    return;
  }
  if (type == ContentType::kAlert && record.size() == kPlainAlert) {
    return OnAlert(record.subspan(kRecordHeaderSize));
  }
  const Result<OpenedRecord> opened = opener_.Open(record);
  if (!opened.ok()) {
    reason_ = Describe(opened.reason()).label;
    return;
  }
  if (opened->type == ContentType::kAlert) OnAlert(opened->fragment);
  if (opened->type != ContentType::kHandshake) return;
  Append(messages_, opened->fragment);
  while (!over() && messages_.size() >= kHandshakeHeaderSize) {
    const size_t size = kHandshakeHeaderSize + test::LengthAt(messages_, {1, 3});
    if (messages_.size() < size) return;
    const auto end = messages_.begin() + static_cast<std::ptrdiff_t>(size);
    Bytes message(messages_.begin(), end);
    messages_.erase(messages_.begin(), end);
    OnMessage(std::move(message));
  }
}

void EnginePeer::OnAlert(ByteView fragment) {
  constexpr uint8_t kFatal = 2;
  if (fragment.size() == 2 && fragment[0] == kFatal) alert_ = fragment[1];
}

void EnginePeer::OnMessage(Bytes message) {
  if (established()) return;  // a NewSessionTicket
  const bool finished = message[0] == static_cast<uint8_t>(HandshakeType::kFinished);
  if (options_.lenience.any_finished && finished) SetRight(message);
  const std::vector<Reason>& ignored = options_.lenience.ignored;
  if (ignored.empty()) return Apply(tls::Step(std::move(state_), message, context()));
  auto [before, again] = Fork(std::move(state_));
  Transition transition = tls::Step(std::move(again), message, context());
  const auto* failed = std::get_if<Failed>(&transition.next);
  if (failed != nullptr && std::count(ignored.begin(), ignored.end(), failed->reason) > 0) {
    state_ = std::move(before);
    return;
  }
  Apply(std::move(transition));
}

void EnginePeer::Apply(Transition transition) {
  for (;;) {
    state_ = std::move(transition.next);
    if (const auto* failed = std::get_if<Failed>(&state_)) {
      reason_ = Describe(failed->reason).label;
      return;
    }
    for (Effect& effect : transition.effects) CarryOut(effect);
    if (!transition.question) return;
    transition = tls::Step(std::move(state_), AnswerTo(*transition.question), context());
  }
}

void EnginePeer::CarryOut(Effect& effect) {
  if (const auto* send = std::get_if<SendMessages>(&effect)) {
    writer_.Add(ContentType::kHandshake, send->messages);
  } else if (std::holds_alternative<SendChangeCipherSpec>(effect)) {
    writer_.Add(ContentType::kChangeCipherSpec, kChangeCipherSpecBody);
  } else if (auto* write = std::get_if<InstallWriteKeys>(&effect)) {
    writer_.Install(*RecordKeys::Create(std::move(write->keys), AeadDirection::kSeal));
  } else if (auto* read = std::get_if<InstallReadKeys>(&effect)) {
    InstallRead(std::move(read->keys));
  } else if (auto* arm = std::get_if<ArmReadKeys>(&effect)) {
    armed_ = std::move(arm->keys);
  }
}

void EnginePeer::InstallRead(TrafficKeys keys) {
  opener_.Install(*RecordKeys::Create(std::move(keys), AeadDirection::kOpen));
}

Answer EnginePeer::AnswerTo(const Question& question) const {
  const auto* use = std::get_if<UsePrivateKey>(&question);
  if (use == nullptr || !options_.edit_signed_content) {
    return test::AnswerFrom(options_.kit, question);
  }
  Bytes content = ContentToSign(use->intent);
  options_.edit_signed_content(content);
  return PrivateKeyUsed{use->id, *options_.kit.key->Sign(use->scheme, content)};
}

void EnginePeer::SetRight(Bytes& finished) const {
  const auto set = [&](ByteView body) {
    finished.resize(kHandshakeHeaderSize);
    Append(finished, body);
    FixHeader(finished);
  };
  if (const auto* server = std::get_if<tls13::WaitFinished>(&state_)) {
    const tls13::ClientFlight& flight = server->flight;
    set(FinishedVerifyData(HashOf(*flight.negotiated), flight.client_finished_key,
                           flight.transcript.Current())
            .view());
  } else if (const auto* client = std::get_if<client13::WaitFinished>(&state_)) {
    const client13::Handshake& handshake = client->handshake;
    set(FinishedVerifyData(HashOf(*handshake.negotiated), handshake.server_finished_key,
                           handshake.transcript.Current())
            .view());
  } else if (const auto* old = std::get_if<tls12::WaitFinished>(&state_)) {
    set(FinishedVerifyData12(HashOf(*old->negotiated), old->master, "client finished",
                             old->transcript.Current()));
  } else if (const auto* old_client = std::get_if<client12::WaitFinished>(&state_)) {
    const client12::Ending& ending = old_client->ending;
    set(FinishedVerifyData12(HashOf(*ending.negotiated), ending.master, "server finished",
                             ending.transcript.Current()));
  }
}

void EnginePeer::RememberHello() {
  auto* waiting = std::get_if<client::WaitServerHello>(&state_);
  if (waiting == nullptr || writer_.sent().empty()) return;
  for (const Outgoing& record : writer_.sent().back()) {
    if (!IsFirstClientHello(record)) continue;
    waiting->client_hello = record.content;
    return;
  }
}

}  // namespace handfast::tls::badpeer
