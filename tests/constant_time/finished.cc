#include "tests/constant_time/finished.h"

#include <memory>
#include <utility>

#include "tests/constant_time/poison.h"
#include "tls/crypto/random.h"
#include "tls/engine/key_schedule.h"
#include "tls/engine/key_schedule12.h"
#include "tls/wire/messages.h"

namespace handfast::constant_time {
namespace {

using namespace tls;  // NOLINT(google-build-using-namespace): it speaks of nothing else

constexpr HashAlgorithm kHash = HashAlgorithm::kSha256;
constexpr CipherSuite kSuite12 = CipherSuite::kEcdheRsaAes128GcmSha256;

HashSecret SecretOf(uint8_t byte, size_t size, bool secret) {
  HashSecret value = *HashSecret::From(Bytes(size, byte));
  if (secret) Poison(value);
  return value;
}

std::unique_ptr<Established> Negotiated(ProtocolVersion version, CipherSuite suite) {
  auto negotiated = std::make_unique<Established>();
  negotiated->version = version;
  negotiated->cipher_suite = suite;
  return negotiated;
}

Transcript SomeTranscript() {
  Transcript transcript(kHash);
  transcript.Add(AsBytes("the handshake so far"));
  return transcript;
}

constexpr uint8_t kFinishedKey = 0x31;
constexpr uint8_t kMaster = 0x32;
constexpr uint8_t kOther = 0x33;

TrafficKeys12 Keys12(bool secret) {
  TrafficKeys12 keys;
  keys.suite = kSuite12;
  keys.key = *AeadKey::From(Bytes(16, kOther));
  keys.iv = *AeadIv::From(Bytes(4, kOther));
  if (secret) Poison(keys.key);
  return keys;
}

Bytes Message(ByteView verify_data) {
  Bytes message;
  if (!AppendMessage(message, Finished{verify_data})) message.clear();
  return message;
}

}  // namespace

EngineState ServerWaits13(bool secret) {
  tls13::ClientFlight flight;
  flight.negotiated = Negotiated(ProtocolVersion::kTls13, CipherSuite::kTlsAes128GcmSha256);
  flight.transcript = SomeTranscript();
  flight.client_finished_key = SecretOf(kFinishedKey, 32, secret);
  flight.client_application_traffic_secret = SecretOf(kOther, 32, secret);
  flight.exporter = SecretOf(kOther, 32, secret);
  return tls13::WaitFinished{std::move(flight)};
}

EngineState ServerWaits12(bool secret) {
  return tls12::WaitFinished{Negotiated(ProtocolVersion::kTls12, kSuite12),
                             SomeTranscript(),
                             MasterSecret{SecretOf(kMaster, 48, secret)},
                             Keys12(secret),
                             {}};
}

EngineState ServerResumes12(bool secret) {
  return tls12::WaitResumedFinished{Negotiated(ProtocolVersion::kTls12, kSuite12), SomeTranscript(),
                                    MasterSecret{SecretOf(kMaster, 48, secret)}};
}

EngineState ClientWaits13(bool secret) {
  client13::Handshake handshake;
  handshake.negotiated = Negotiated(ProtocolVersion::kTls13, CipherSuite::kTlsAes128GcmSha256);
  handshake.transcript = SomeTranscript();
  handshake.main = MainSecret{SecretOf(kOther, 32, secret)};
  handshake.client_finished_key = SecretOf(kOther, 32, secret);
  handshake.server_finished_key = SecretOf(kFinishedKey, 32, secret);
  return client13::WaitFinished{std::move(handshake), {}};
}

EngineState ClientWaits12(bool secret) {
  client12::Ending ending;
  ending.negotiated = Negotiated(ProtocolVersion::kTls12, kSuite12);
  ending.transcript = SomeTranscript();
  ending.master = MasterSecret{SecretOf(kMaster, 48, secret)};
  ending.keys.client = Keys12(secret);
  return client12::WaitFinished{std::move(ending)};
}

Bytes RightFor13() {
  const HashSecret key = SecretOf(kFinishedKey, 32, /*secret=*/false);
  return Message(FinishedVerifyData(kHash, key, SomeTranscript().Current()).view());
}

Bytes RightFor12(std::string_view label) {
  const MasterSecret master{SecretOf(kMaster, 48, /*secret=*/false)};
  return Message(FinishedVerifyData12(kHash, master, label, SomeTranscript().Current()));
}

Transition StepOn(EngineState state, ByteView message) {
  static const Profile profile = IntermediateProfile();
  return Step(std::move(state), message, Context{profile, SystemRandomness()});
}

}  // namespace handfast::constant_time
