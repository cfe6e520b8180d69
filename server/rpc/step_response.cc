#include "server/rpc/step_response.h"

#include <algorithm>

#include "server/rpc/established_view.h"
#include "server/rpc/message_view.h"

namespace handfast::rpc {
namespace {

using tls::HandshakeType;

constexpr tls::MessageName Message(HandshakeType type) {
  return {tls::ContentType::kHandshake, type};
}

constexpr StepName kStepNames[kStepRpcs] = {
    {"ClientHello", v1::STEP_CLIENT_HELLO, Message(HandshakeType::kClientHello)},
    {"ServerHello", v1::STEP_SERVER_HELLO, Message(HandshakeType::kServerHello)},
    {"EncryptedExtensions", v1::STEP_ENCRYPTED_EXTENSIONS,
     Message(HandshakeType::kEncryptedExtensions)},
    {"Certificate", v1::STEP_CERTIFICATE, Message(HandshakeType::kCertificate)},
    {"CertificateStatus", v1::STEP_CERTIFICATE_STATUS, Message(HandshakeType::kCertificateStatus)},
    {"ServerKeyExchange", v1::STEP_SERVER_KEY_EXCHANGE, Message(HandshakeType::kServerKeyExchange)},
    {"CertificateRequest", v1::STEP_CERTIFICATE_REQUEST,
     Message(HandshakeType::kCertificateRequest)},
    {"ServerHelloDone", v1::STEP_SERVER_HELLO_DONE, Message(HandshakeType::kServerHelloDone)},
    {"ClientKeyExchange", v1::STEP_CLIENT_KEY_EXCHANGE, Message(HandshakeType::kClientKeyExchange)},
    {"CertificateVerify", v1::STEP_CERTIFICATE_VERIFY, Message(HandshakeType::kCertificateVerify)},
    {"ChangeCipherSpec", v1::STEP_CHANGE_CIPHER_SPEC, tls::kChangeCipherSpecName},
    {"NewSessionTicket", v1::STEP_NEW_SESSION_TICKET, Message(HandshakeType::kNewSessionTicket)},
    {"Finished", v1::STEP_FINISHED, Message(HandshakeType::kFinished)},
    {"Advance", v1::STEP_UNSPECIFIED, std::nullopt},
};

v1::Step StepOf(const tls::MessageName& message) {
  const auto* found = std::ranges::find(kStepNames, std::optional(message), &StepName::message);
  return found == std::end(kStepNames) ? v1::STEP_UNSPECIFIED : found->step;
}

}  // namespace

std::span<const StepName, kStepRpcs> StepNames() { return kStepNames; }

void Show(const std::vector<handshakes::NextStep>& next,
          google::protobuf::RepeatedPtrField<v1::Next>& into) {
  for (const handshakes::NextStep& step : next) {
    v1::Next& shown = *into.Add();
    shown.set_step(StepOf(step.message));
    shown.set_sender(step.ours ? v1::HandshakeMessage::SERVICE : v1::HandshakeMessage::PEER);
    shown.set_held(step.held);
  }
}

v1::StepResponse ToProto(const handshakes::Handle& handle, const handshakes::StepReply& reply) {
  v1::StepResponse response;
  response.set_step(reply.number);
  const tls::Bytes& to_peer = reply.reply.to_peer;
  if (!to_peer.empty()) response.set_to_peer(to_peer.data(), to_peer.size());
  response.set_need_more(reply.need_more);
  for (const tls::TracedMessage& message : reply.reply.messages) {
    Show(message, *response.add_messages());
  }
  Show(reply.next, *response.mutable_next());
  if (!reply.unconsumed.empty()) {
    response.set_unconsumed(reply.unconsumed.data(), reply.unconsumed.size());
  }
  if (const auto* done = std::get_if<handshakes::Done>(&reply.reply.outcome)) {
    Show(*done, handle, *response.mutable_established());
  } else if (const auto* failed = std::get_if<handshakes::Failed>(&reply.reply.outcome)) {
    Show(failed->failure, failed->detail, *response.mutable_failure());
  }
  return response;
}

}  // namespace handfast::rpc
