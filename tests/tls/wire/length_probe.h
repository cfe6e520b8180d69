// A third direction of a layout, for tests only: LengthProbe follows a message as Writer does and
// notes where each length prefix stands, so that a test can alter every one of them.
#ifndef HANDFAST_TESTS_TLS_WIRE_LENGTH_PROBE_H_
#define HANDFAST_TESTS_TLS_WIRE_LENGTH_PROBE_H_

#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/reader.h"

namespace handfast::tls::test {

struct LengthField {
  size_t offset;  // from the start of the body
  size_t width;   // 1, 2 or 3 bytes
};

class LengthProbe {
 public:
  template <class V>
  bool U8(const V&) {
    return Skip(1);
  }
  template <class V>
  bool U16(const V&) {
    return Skip(2);
  }
  template <class V>
  bool U24(const V&) {
    return Skip(3);
  }
  bool Fixed(ByteView, size_t size) { return Skip(size); }
  bool Rest(ByteView v) { return Skip(v.size()); }
  bool Present(bool) { return true; }
  bool Opaque8(ByteView v, Bounds) { return Opaque(v, 1); }
  bool Opaque16(ByteView v, Bounds) { return Opaque(v, 2); }
  bool Opaque24(ByteView v, Bounds) { return Opaque(v, 3); }
  template <class T>
  bool List8(const std::vector<T>& v, Bounds) {
    return List(v, 1);
  }
  template <class T>
  bool List16(const std::vector<T>& v, Bounds) {
    return List(v, 2);
  }
  template <class T>
  bool List24(const std::vector<T>& v, Bounds) {
    return List(v, 3);
  }

  const std::vector<LengthField>& fields() const { return fields_; }

 private:
  bool Skip(size_t size) {
    offset_ += size;
    return true;
  }
  bool Opaque(ByteView v, size_t width) {
    fields_.push_back({offset_, width});
    return Skip(width + v.size());
  }
  template <class T>
  bool List(const std::vector<T>& v, size_t width) {
    fields_.push_back({offset_, width});
    Skip(width);
    for (const T& item : v) {
      if constexpr (WireEnum<T>) {
        Skip(sizeof(T));
      } else {
        T::Layout(*this, item);
      }
    }
    return true;
  }

  std::vector<LengthField> fields_;
  size_t offset_ = 0;
};

template <class M>
std::vector<LengthField> LengthFieldsOf(const M& message) {
  LengthProbe probe;
  M::Layout(probe, message);
  return probe.fields();
}

inline uint64_t LengthAt(const Bytes& bytes, const LengthField& field) {
  uint64_t value = 0;
  for (size_t i = 0; i < field.width; ++i) value = value << 8 | bytes[field.offset + i];
  return value;
}

// `bytes` with the field set to `value`, which is cut to its width.
inline Bytes WithLength(Bytes bytes, const LengthField& field, uint64_t value) {
  for (size_t i = 0; i < field.width; ++i) {
    bytes[field.offset + i] = static_cast<uint8_t>(value >> (8 * (field.width - 1 - i)));
  }
  return bytes;
}

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_WIRE_LENGTH_PROBE_H_
