#include "server/rpc/key_release.h"

#include <string>
#include <variant>

#include "server/rpc/wipe_text.h"
#include "tls/base/secret_access.h"

namespace handfast::rpc {
namespace {

template <size_t N>
std::string Open(const tls::Secret<N>& secret) {
  return std::string(tls::AsText(tls::SecretAccess::Open(secret)));
}

void Show(const tls::TrafficKeys12& keys, v1::DirectionKeys& into) {
  into.set_key(Open(keys.key));
  into.set_salt(Open(keys.iv));
  into.set_rec_seq(keys.sequence);
}

// Of `into`, which has the fields of both versions.
template <class Into>
void ShowKeys(const tls::ReleasedKeys& keys, Into& into) {
  const auto* write13 = std::get_if<tls::TrafficKeys13>(&keys.write);
  const auto* read13 = std::get_if<tls::TrafficKeys13>(&keys.read);
  if (write13 != nullptr && read13 != nullptr) {
    v1::TrafficSecrets& secrets = *into.mutable_traffic_secrets();
    secrets.set_write_secret(Open(write13->secret));
    secrets.set_read_secret(Open(read13->secret));
    secrets.set_write_sequence(write13->sequence);
    secrets.set_read_sequence(read13->sequence);
    return;
  }
  const auto* write12 = std::get_if<tls::TrafficKeys12>(&keys.write);
  const auto* read12 = std::get_if<tls::TrafficKeys12>(&keys.read);
  if (write12 == nullptr || read12 == nullptr) return;
  Show(*write12, *into.mutable_traffic_keys()->mutable_write());
  Show(*read12, *into.mutable_traffic_keys()->mutable_read());
}

template <class Keys>
void WipeBoth(Keys& keys) {
  if (keys.has_traffic_secrets()) {
    WipeText(*keys.mutable_traffic_secrets()->mutable_write_secret());
    WipeText(*keys.mutable_traffic_secrets()->mutable_read_secret());
  } else if (keys.has_traffic_keys()) {
    WipeKeys(*keys.mutable_traffic_keys()->mutable_write());
    WipeKeys(*keys.mutable_traffic_keys()->mutable_read());
  }
}

}  // namespace

void Release(const tls::ReleasedKeys& keys, v1::Established& into) { ShowKeys(keys, into); }

void Release(const tls::GenerationKeys& keys, v1::DirectionKeys& into) {
  into.set_key(Open(keys.key));
  into.set_salt(Open(keys.iv));
  into.set_rec_seq(keys.sequence);
}

void Release(const connections::KeyRelease& release, v1::ReleaseKeysResponse& into) {
  if (const auto* keys = std::get_if<tls::ReleasedKeys>(&release.keys)) ShowKeys(*keys, into);
  if (const auto* keys = std::get_if<tls::ReleasedGeneration>(&release.keys)) {
    Release(keys->write, *into.mutable_traffic_keys()->mutable_write());
    Release(keys->read, *into.mutable_traffic_keys()->mutable_read());
  }
}

void WipeKeys(v1::DirectionKeys& keys) {
  WipeText(*keys.mutable_key());
  WipeText(*keys.mutable_salt());
}

void WipeKeys(v1::Established& established) { WipeBoth(established); }
void WipeKeys(v1::ReleaseKeysResponse& response) { WipeBoth(response); }

}  // namespace handfast::rpc
