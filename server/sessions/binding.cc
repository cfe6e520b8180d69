#include "server/sessions/sessions_interface.h"
#include "tls/base/reader.h"
#include "tls/crypto/hash.h"

namespace handfast::sessions {
namespace {

constexpr std::string_view kLabel = "handfast session scope 1";
// Beyond any part: a length never wraps.
constexpr tls::Bounds kAny{.min = 0, .max = 0xffffff};

// Everything with its length before it, so that no two scopes are written alike.
class Writing {
 public:
  void Add(tls::ByteView bytes) { written_ = writer_.Opaque24(bytes, kAny) && written_; }
  void Add(std::string_view text) { Add(tls::AsBytes(text)); }
  void Add(bool flag) { written_ = writer_.U8(static_cast<uint8_t>(flag)) && written_; }
  template <class E>
  void AddList(const std::vector<E>& values) {
    written_ = writer_.U16(static_cast<uint16_t>(values.size())) && written_;
    for (const E value : values) {
      written_ = writer_.U16(static_cast<uint16_t>(value)) && written_;
    }
  }
  tls::Bytes Digest() const {
    if (!written_) return {};
    return tls::Copy(tls::Hash(tls::HashAlgorithm::kSha256, bytes_).view());
  }

 private:
  tls::Bytes bytes_;
  tls::Writer writer_{bytes_};
  bool written_ = true;
};

}  // namespace

tls::Bytes BindingOf(const Scope& scope) {
  Writing writing;
  writing.Add(kLabel);
  writing.Add(scope.as_client);
  writing.Add(scope.tenant);
  // A profile that is narrowed is another one, and so is what it agrees to.
  writing.Add(scope.profile.name);
  writing.AddList(scope.profile.versions);
  writing.AddList(scope.profile.cipher_suites);
  writing.AddList(scope.profile.groups);
  writing.AddList(scope.profile.signature_schemes);
  writing.AddList(scope.profile.certificate_schemes);
  writing.Add(scope.profile.client_auth != tls::ClientAuth::kNone);
  writing.Add(scope.profile.client_auth == tls::ClientAuth::kRequired);
  writing.Add(scope.trust);
  writing.AddList(std::vector<size_t>{scope.alpn.size()});
  for (const std::string& protocol : scope.alpn) writing.Add(protocol);
  writing.Add(scope.credential);
  writing.Add(scope.server_name);
  writing.Add(scope.require_ocsp_staple);
  return writing.Digest();
}

}  // namespace handfast::sessions
