#include "client/core/record_layer.h"

#include <algorithm>
#include <utility>

namespace handfast::client {
namespace {

using tls::AeadDirection;
using tls::Reason;
using tls::RecordKeys;
using tls::Result;

template <class Keys>
Result<RecordLayer> Create(Keys keys, size_t max_fragment, bool as_client) {
  Result<RecordKeys> write = RecordKeys::Create(std::move(keys.write), AeadDirection::kSeal);
  if (!write.ok()) return write.reason();
  Result<RecordKeys> read = RecordKeys::Create(std::move(keys.read), AeadDirection::kOpen);
  if (!read.ok()) return read.reason();
  const tls::RecordLayerOptions options{
      .as_client = as_client,
      .max_fragment = std::clamp<size_t>(max_fragment, 1, tls::kMaxPlaintext)};
  return RecordLayer(tls::RecordSealer(*std::move(write)), tls::RecordOpener(*std::move(read)),
                     options);
}

}  // namespace

Result<RecordLayer> CreateRecordLayer(ReleasedKeys keys, size_t max_fragment, bool as_client) {
  if (auto* tls13 = std::get_if<ReleasedKeys13>(&keys)) {
    return Create(std::move(*tls13), max_fragment, as_client);
  }
  if (auto* tls12 = std::get_if<ReleasedKeys12>(&keys)) {
    return Create(std::move(*tls12), max_fragment, as_client);
  }
  return Reason::kInternalError;
}

tls::Bytes PlaintextAlert(tls::Alert alert) {
  constexpr uint8_t kFatal = 2;
  const uint8_t body[] = {kFatal, static_cast<uint8_t>(alert)};
  tls::Bytes record;
  (void)tls::RecordSealer().Seal(tls::ContentType::kAlert, body, tls::kMaxPlaintext, record);
  return record;
}

}  // namespace handfast::client
