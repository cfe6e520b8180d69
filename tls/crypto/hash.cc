// The low-level SHA functions are deprecated, not withdrawn: no other interface of libcrypto lets
// a running hash be saved, and none is as cheap.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls/crypto/hash.h"

#include <cstring>
#include <new>

#include <openssl/sha.h>

#include "tls/base/reader.h"

namespace handfast::tls {
namespace {

constexpr size_t kContextSize = 216;
static_assert(sizeof(SHA256_CTX) <= kContextSize && sizeof(SHA512_CTX) <= kContextSize);
static_assert(alignof(SHA256_CTX) <= 8 && alignof(SHA512_CTX) <= 8);

using Context = std::array<uint8_t, kContextSize>;

template <class T>
T* As(Context& context) {
  return std::launder(reinterpret_cast<T*>(context.data()));
}
template <class T>
const T* As(const Context& context) {
  return std::launder(reinterpret_cast<const T*>(context.data()));
}

// Constant sizes in both, for the compiler to make moves of.
void CopyContext(HashAlgorithm algorithm, const Context& from, Context& to) {
  if (algorithm == HashAlgorithm::kSha256) {
    new (to.data()) SHA256_CTX(*As<SHA256_CTX>(from));
  } else {
    new (to.data()) SHA512_CTX(*As<SHA512_CTX>(from));
  }
}

void WipeContext(HashAlgorithm algorithm, Context& context) {
  const bool sha256 = algorithm == HashAlgorithm::kSha256;
  Wipe(std::span(context).first(sha256 ? sizeof(SHA256_CTX) : sizeof(SHA512_CTX)));
}

// SHA-256 and SHA-384 differ in the width of a word, of a counter and of a block alone.
constexpr size_t kWords = 8;

template <class Sha>
struct Shape;
template <>
struct Shape<SHA256_CTX> {
  static constexpr size_t kWordSize = 4;
  static constexpr size_t kBlockSize = SHA256_CBLOCK;
  static uint64_t Count(const SHA256_CTX& sha) {
    return (static_cast<uint64_t>(sha.Nh) << 32 | sha.Nl) >> 3;
  }
  static void SetCount(SHA256_CTX& sha, uint64_t count) {
    sha.Nl = static_cast<SHA_LONG>(count << 3);
    sha.Nh = static_cast<SHA_LONG>(count >> 29);
  }
  static uint8_t* Tail(SHA256_CTX& sha) { return reinterpret_cast<uint8_t*>(sha.data); }
  static const uint8_t* Tail(const SHA256_CTX& sha) {
    return reinterpret_cast<const uint8_t*>(sha.data);
  }
};
template <>
struct Shape<SHA512_CTX> {
  static constexpr size_t kWordSize = 8;
  static constexpr size_t kBlockSize = SHA512_CBLOCK;
  static uint64_t Count(const SHA512_CTX& sha) { return sha.Nl >> 3; }
  static void SetCount(SHA512_CTX& sha, uint64_t count) {
    sha.Nl = count << 3;
    sha.Nh = 0;
  }
  static uint8_t* Tail(SHA512_CTX& sha) { return sha.u.p; }
  static const uint8_t* Tail(const SHA512_CTX& sha) { return sha.u.p; }
};

// The bit count of a saved hash must fit its counter.
constexpr uint64_t kMaxCount = uint64_t{1} << 60;

template <class Sha>
void SaveTo(const Sha& sha, Writer& out) {
  using S = Shape<Sha>;
  for (size_t i = 0; i < kWords; ++i) {
    if constexpr (S::kWordSize == 4) {
      out.U32(sha.h[i]);
    } else {
      out.U64(sha.h[i]);
    }
  }
  const uint64_t count = S::Count(sha);
  out.U64(count);
  out.Rest({S::Tail(sha), count % S::kBlockSize});
}

template <class Sha>
bool LoadFrom(Reader& in, Sha& sha) {
  using S = Shape<Sha>;
  for (size_t i = 0; i < kWords; ++i) {
    uint64_t word = 0;
    if constexpr (S::kWordSize == 4) {
      uint32_t narrow = 0;
      if (!in.U32(narrow)) return false;
      word = narrow;
    } else {
      if (!in.U64(word)) return false;
    }
    sha.h[i] = static_cast<decltype(+sha.h[i])>(word);
  }
  uint64_t count = 0;
  ByteView tail;
  if (!in.U64(count) || count > kMaxCount || !in.Fixed(tail, count % S::kBlockSize) || !in.done()) {
    return false;
  }
  S::SetCount(sha, count);
  sha.num = static_cast<unsigned>(tail.size());
  if (!tail.empty()) std::memcpy(S::Tail(sha), tail.data(), tail.size());
  return true;
}

}  // namespace

RunningHash::RunningHash(HashAlgorithm algorithm) : algorithm_(algorithm) {
  if (algorithm_ == HashAlgorithm::kSha256) {
    SHA256_Init(new (context_.data()) SHA256_CTX);
  } else {
    SHA384_Init(new (context_.data()) SHA512_CTX);
  }
}

RunningHash::~RunningHash() { WipeContext(algorithm_, context_); }

RunningHash::RunningHash(const RunningHash& other) : algorithm_(other.algorithm_) {
  CopyContext(algorithm_, other.context_, context_);
}

RunningHash& RunningHash::operator=(const RunningHash& other) {
  if (this == &other) return *this;
  WipeContext(algorithm_, context_);
  algorithm_ = other.algorithm_;
  CopyContext(algorithm_, other.context_, context_);
  return *this;
}

void RunningHash::Update(ByteView bytes) {
  if (algorithm_ == HashAlgorithm::kSha256) {
    SHA256_Update(As<SHA256_CTX>(context_), bytes.data(), bytes.size());
  } else {
    SHA384_Update(As<SHA512_CTX>(context_), bytes.data(), bytes.size());
  }
}

Digest RunningHash::Current() const {
  Digest digest;
  digest.size = DigestSize(algorithm_);
  RunningHash(*this).Finish(digest.bytes.data());
  return digest;
}

void RunningHash::Finish(uint8_t* out) {
  if (algorithm_ == HashAlgorithm::kSha256) {
    SHA256_Final(out, As<SHA256_CTX>(context_));
  } else {
    SHA384_Final(out, As<SHA512_CTX>(context_));
  }
  WipeContext(algorithm_, context_);
}

Bytes RunningHash::Save() const {
  Bytes saved;
  saved.reserve(1 + kContextSize);
  Writer out(saved);
  out.U8(algorithm_);
  if (algorithm_ == HashAlgorithm::kSha256) {
    SaveTo(*As<SHA256_CTX>(context_), out);
  } else {
    SaveTo(*As<SHA512_CTX>(context_), out);
  }
  return saved;
}

std::optional<RunningHash> RunningHash::Load(ByteView saved) {
  Reader in(saved);
  HashAlgorithm algorithm{};
  if (!in.U8(algorithm)) return std::nullopt;
  if (algorithm != HashAlgorithm::kSha256 && algorithm != HashAlgorithm::kSha384) {
    return std::nullopt;
  }
  std::optional<RunningHash> hash(std::in_place, algorithm);
  const bool loaded = algorithm == HashAlgorithm::kSha256
                          ? LoadFrom(in, *As<SHA256_CTX>(hash->context_))
                          : LoadFrom(in, *As<SHA512_CTX>(hash->context_));
  if (!loaded) hash.reset();
  return hash;
}

Digest Hash(HashAlgorithm algorithm, ByteView bytes) {
  Digest digest;
  digest.size = DigestSize(algorithm);
  RunningHash hash(algorithm);
  hash.Update(bytes);
  hash.Finish(digest.bytes.data());
  return digest;
}

}  // namespace handfast::tls
