#include "client/core/released_keys.h"

#include <string>
#include <utility>

#include "tls/base/secret.h"

namespace handfast::client {
namespace {

// protobuf frees strings without wiping them.
void WipeString(std::string& text) {
  tls::Wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  text.clear();
}

template <class SecretType>
bool TakeSecret(std::string& text, SecretType& secret) {
  auto taken = SecretType::From(tls::AsBytes(text));
  WipeString(text);
  if (!taken) return false;
  secret = std::move(*taken);
  return true;
}

bool TakeSecrets13(v1::TrafficSecrets& from, tls::CipherSuite suite, ReleasedKeys13& keys) {
  keys.write.suite = keys.read.suite = suite;
  keys.write.sequence = from.write_sequence();
  keys.read.sequence = from.read_sequence();
  const bool write = TakeSecret(*from.mutable_write_secret(), keys.write.secret);
  const bool read = TakeSecret(*from.mutable_read_secret(), keys.read.secret);
  return write && read;
}

bool TakeDirection12(v1::DirectionKeys& from, tls::CipherSuite suite, tls::TrafficKeys12& keys) {
  keys.suite = suite;
  keys.sequence = from.rec_seq();
  const bool key = TakeSecret(*from.mutable_key(), keys.key);
  const bool iv = TakeSecret(*from.mutable_salt(), keys.iv);
  return key && iv;
}

}  // namespace

ReleasedKeys TakeKeys(v1::Established& established) {
  const auto suite = static_cast<tls::CipherSuite>(established.cipher_suite_id());
  ReleasedKeys keys;
  if (established.has_traffic_secrets()) {
    ReleasedKeys13 both;
    const bool whole = TakeSecrets13(*established.mutable_traffic_secrets(), suite, both);
    if (whole) keys = std::move(both);
  } else if (established.has_traffic_keys()) {
    ReleasedKeys12 both;
    v1::TrafficKeys& from = *established.mutable_traffic_keys();
    const bool write = TakeDirection12(*from.mutable_write(), suite, both.write);
    const bool read = TakeDirection12(*from.mutable_read(), suite, both.read);
    if (write && read) keys = std::move(both);
  }
  established.clear_keys();
  return keys;
}

}  // namespace handfast::client
