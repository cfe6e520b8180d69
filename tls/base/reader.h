// Reader and Writer: the two directions of a layout. A message states its wire image once, as a
// static `Layout(io, self)`, and both follow it. Names are those of RFC 8446 §3: U8, U16, U24,
// opaque vectors by the width of their length prefix, lists of structures.
//
// A read returns false at the first violation; a parsed message holds views into the bytes read,
// so those must outlive it.
#ifndef HANDFAST_TLS_BASE_READER_H_
#define HANDFAST_TLS_BASE_READER_H_

#include <concepts>
#include <optional>
#include <type_traits>

#include "tls/base/bytes.h"

namespace handfast::tls {

// The RFC's <min..max>, in bytes; for lists also a limit of ours on the number of items.
struct Bounds {
  size_t min;
  size_t max;
  size_t max_items = SIZE_MAX;
};

template <class T>
concept WireEnum = std::is_enum_v<T>;

class Reader {
 public:
  explicit Reader(ByteView in) : in_(in) {}

  bool U8(uint8_t& v) { return Number(v, 1); }
  bool U16(uint16_t& v) { return Number(v, 2); }
  bool U24(uint32_t& v) { return Number(v, 3); }
  bool U32(uint32_t& v) { return Number(v, 4); }
  bool U64(uint64_t& v) { return Number(v, 8); }
  template <WireEnum E>
  bool U8(E& v) {
    return Number(v, 1);
  }
  template <WireEnum E>
  bool U16(E& v) {
    return Number(v, 2);
  }

  // Exactly `size` bytes, without a length prefix.
  bool Fixed(ByteView& v, size_t size) { return Take(size, v); }
  bool Opaque8(ByteView& v, Bounds bounds) { return Opaque(v, 1, bounds); }
  bool Opaque16(ByteView& v, Bounds bounds) { return Opaque(v, 2, bounds); }
  bool Opaque24(ByteView& v, Bounds bounds) { return Opaque(v, 3, bounds); }
  // All that is left.
  bool Rest(ByteView& v) { return Take(in_.size(), v); }

  template <class T>
  bool List8(std::vector<T>& v, Bounds bounds) {
    return List(v, 1, bounds);
  }
  template <class T>
  bool List16(std::vector<T>& v, Bounds bounds) {
    return List(v, 2, bounds);
  }
  template <class T>
  bool List24(std::vector<T>& v, Bounds bounds) {
    return List(v, 3, bounds);
  }

  // For a tail that may be absent: `present` tells whether more follows.
  bool Present(bool& present) {
    present = !done();
    return true;
  }

  bool done() const { return in_.empty(); }
  ByteView rest() const { return in_; }

 private:
  bool Take(size_t size, ByteView& v) {
    if (size > in_.size()) return false;
    v = in_.first(size);
    in_ = in_.subspan(size);
    return true;
  }
  template <class N>
  bool Number(N& v, size_t size) {
    ByteView bytes;
    if (!Take(size, bytes)) return false;
    uint64_t n = 0;
    for (uint8_t byte : bytes) n = n << 8 | byte;
    v = static_cast<N>(n);
    return true;
  }
  bool Opaque(ByteView& v, size_t prefix, Bounds bounds) {
    size_t size = 0;
    return Number(size, prefix) && size >= bounds.min && size <= bounds.max && Take(size, v);
  }
  template <class T>
  bool List(std::vector<T>& v, size_t prefix, Bounds bounds) {
    ByteView body;
    if (!Opaque(body, prefix, bounds)) return false;
    if constexpr (WireEnum<T>) v.reserve(body.size() / sizeof(T));
    Reader items(body);
    while (!items.done()) {
      if (v.size() == bounds.max_items) return false;
      if constexpr (WireEnum<T>) {
        if (!items.Number(v.emplace_back(), sizeof(T))) return false;
      } else {
        if (!T::Layout(items, v.emplace_back())) return false;
      }
    }
    return true;
  }

  ByteView in_;
};

class Writer {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit Writer(Bytes& out) : out_(out) {}

  bool U8(uint8_t v) { return Number(v, 1); }
  bool U16(uint16_t v) { return Number(v, 2); }
  bool U24(uint32_t v) { return Number(v, 3); }
  bool U32(uint32_t v) { return Number(v, 4); }
  bool U64(uint64_t v) { return Number(v, 8); }
  template <WireEnum E>
  bool U8(E v) {
    return Number(static_cast<uint64_t>(v), 1);
  }
  template <WireEnum E>
  bool U16(E v) {
    return Number(static_cast<uint64_t>(v), 2);
  }

  bool Fixed(ByteView v, size_t size) {
    if (v.size() != size) return false;
    Append(out_, v);
    return true;
  }
  bool Opaque8(ByteView v, Bounds bounds) { return Opaque(v, 1, bounds); }
  bool Opaque16(ByteView v, Bounds bounds) { return Opaque(v, 2, bounds); }
  bool Opaque24(ByteView v, Bounds bounds) { return Opaque(v, 3, bounds); }
  bool Rest(ByteView v) {
    Append(out_, v);
    return true;
  }
  bool Present(bool) { return true; }

  template <class T>
  bool List8(const std::vector<T>& v, Bounds bounds) {
    return List(v, 1, bounds);
  }
  template <class T>
  bool List16(const std::vector<T>& v, Bounds bounds) {
    return List(v, 2, bounds);
  }
  template <class T>
  bool List24(const std::vector<T>& v, Bounds bounds) {
    return List(v, 3, bounds);
  }

  // Writes a length prefix of `prefix` bytes before whatever `body` writes.
  template <class Body>
  bool Prefixed(size_t prefix, Bounds bounds, Body&& body) {
    const size_t start = out_.size();
    out_.resize(start + prefix);
    if (!body()) return false;
    const size_t size = out_.size() - start - prefix;
    if (size < bounds.min || size > bounds.max) return false;
    WriteAt(start, size, prefix);
    return true;
  }

 private:
  void WriteAt(size_t at, uint64_t v, size_t size) {
    for (size_t i = size; i-- > 0; v >>= 8) out_[at + i] = static_cast<uint8_t>(v);
  }
  bool Number(uint64_t v, size_t size) {
    const size_t end = out_.size();
    out_.resize(end + size);
    WriteAt(end, v, size);
    return true;
  }
  bool Opaque(ByteView v, size_t prefix, Bounds bounds) {
    if (v.size() < bounds.min || v.size() > bounds.max) return false;
    Number(v.size(), prefix);
    Append(out_, v);
    return true;
  }
  template <class T>
  bool List(const std::vector<T>& v, size_t prefix, Bounds bounds) {
    return Prefixed(prefix, bounds, [&] {
      for (const T& item : v) {
        if constexpr (WireEnum<T>) {
          Number(static_cast<uint64_t>(item), sizeof(T));
        } else {
          if (!T::Layout(*this, item)) return false;
        }
      }
      return true;
    });
  }

  Bytes& out_;
};

// Nullopt where the bytes break the layout; trailing bytes break it too.
template <class T>
std::optional<T> Parse(ByteView in) {
  Reader reader(in);
  T message{};
  if (!T::Layout(reader, message) || !reader.done()) return std::nullopt;
  return message;
}

// False, with `out` in an unspecified state, where a field exceeds its bounds.
template <class T>
[[nodiscard]] bool AppendSerialized(Bytes& out, const T& message) {
  Writer writer(out);
  return T::Layout(writer, message);
}

// Empty where a field exceeds its bounds.
template <class T>
Bytes Serialize(const T& message) {
  Bytes out;
  if (!AppendSerialized(out, message)) out.clear();
  return out;
}

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_BASE_READER_H_
