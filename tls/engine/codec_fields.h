// The two directions of the saved form. A struct states its fields once, as `Fields(io, s)`, and
// both follow it: SaveFields spends the struct into bytes, LoadFields fills one from them. All
// numbers are big-endian, all lengths explicit; see README.md for a worked example.
#ifndef HANDFAST_TLS_ENGINE_CODEC_FIELDS_H_
#define HANDFAST_TLS_ENGINE_CODEC_FIELDS_H_

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tls/base/reader.h"
#include "tls/base/secret_access.h"

namespace handfast::tls {

// A length is 24 bits: no field comes near.
constexpr Bounds kSavedBlob{.min = 0, .max = 0xffffff};
// More items than any state holds (a chain, a list of schemes).
constexpr size_t kMaxSavedItems = 256;

class SaveFields {
 public:
  static constexpr bool kLoading = false;
  explicit SaveFields(Bytes& out) : writer_(out) {}

  bool Number(uint64_t& v) { return writer_.U64(v); }
  bool Number(uint16_t& v) { return writer_.U16(v); }
  bool Number(uint8_t& v) { return writer_.U8(v); }
  bool Flag(bool& v) { return writer_.U8(static_cast<uint8_t>(v)); }
  template <WireEnum E>
  bool Enum(E& v) {
    return writer_.U16(static_cast<uint16_t>(v));
  }
  bool Blob(Bytes& v) { return writer_.Opaque24(v, kSavedBlob); }
  bool Text(std::string& v) { return writer_.Opaque24(AsBytes(v), kSavedBlob); }
  template <size_t N>
  bool Array(std::array<uint8_t, N>& v) {
    return writer_.Fixed(v, N);
  }
  template <size_t N>
  bool SecretBytes(Secret<N>& v) {
    return writer_.Opaque16(SecretAccess::Open(v), {.min = 0, .max = N});
  }
  template <class T, class Item>
  bool List(std::vector<T>& v, Item item) {
    return v.size() <= kMaxSavedItems && writer_.U16(static_cast<uint16_t>(v.size())) &&
           std::all_of(v.begin(), v.end(), [&](T& t) { return item(t); });
  }

 private:
  Writer writer_;
};

class LoadFields {
 public:
  static constexpr bool kLoading = true;
  explicit LoadFields(Reader& reader) : reader_(reader) {}

  bool Number(uint64_t& v) { return reader_.U64(v); }
  bool Number(uint16_t& v) { return reader_.U16(v); }
  bool Number(uint8_t& v) { return reader_.U8(v); }
  bool Flag(bool& v) {
    uint8_t byte = 0;
    if (!reader_.U8(byte) || byte > 1) return false;
    v = byte == 1;
    return true;
  }
  template <WireEnum E>
  bool Enum(E& v) {
    uint16_t number = 0;
    if (!reader_.U16(number)) return false;
    v = static_cast<E>(number);
    return static_cast<uint16_t>(v) == number;
  }
  bool Blob(Bytes& v) {
    ByteView view;
    if (!reader_.Opaque24(view, kSavedBlob)) return false;
    v.assign(view.begin(), view.end());
    return true;
  }
  bool Text(std::string& v) {
    ByteView view;
    if (!reader_.Opaque24(view, kSavedBlob)) return false;
    v = AsText(view);
    return true;
  }
  template <size_t N>
  bool Array(std::array<uint8_t, N>& v) {
    ByteView view;
    if (!reader_.Fixed(view, N)) return false;
    std::copy(view.begin(), view.end(), v.begin());
    return true;
  }
  template <size_t N>
  bool SecretBytes(Secret<N>& v) {
    ByteView view;
    if (!reader_.Opaque16(view, {.min = 0, .max = N})) return false;
    v = *Secret<N>::From(view);
    return true;
  }
  template <class T, class Item>
  bool List(std::vector<T>& v, Item item) {
    uint16_t size = 0;
    if (!reader_.U16(size) || size > kMaxSavedItems) return false;
    v.resize(size);
    return std::all_of(v.begin(), v.end(), [&](T& t) { return item(t); });
  }

 private:
  Reader& reader_;
};

// A value that may be absent: a flag, then the value.
template <class Io, class T, class Item>
bool Optional(Io& io, std::optional<T>& v, Item item) {
  bool present = v.has_value();
  if (!io.Flag(present)) return false;
  if constexpr (Io::kLoading) {
    if (present) v.emplace();
  }
  return !present || item(*v);
}

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_CODEC_FIELDS_H_
