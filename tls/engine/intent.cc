#include "tls/engine/intent.h"

#include <string_view>

namespace handfast::tls {
namespace {

constexpr std::string_view kServerContext = "TLS 1.3, server CertificateVerify";
constexpr std::string_view kClientContext = "TLS 1.3, client CertificateVerify";

// RFC 8446 §4.4.3: 64 spaces, the context string, a zero byte, the transcript hash.
Bytes CertificateVerifyContent(std::string_view context, ByteView transcript_hash) {
  constexpr size_t kPadding = 64;
  Bytes content;
  content.reserve(kPadding + context.size() + 1 + transcript_hash.size());
  content.assign(kPadding, 0x20);
  Append(content, AsBytes(context));
  content.push_back(0);
  Append(content, transcript_hash);
  return content;
}

struct Content {
  Bytes operator()(const Tls13ServerCertificateVerify& intent) const {
    return CertificateVerifyContent(kServerContext, intent.transcript_hash);
  }
  Bytes operator()(const Tls13ClientCertificateVerify& intent) const {
    return CertificateVerifyContent(kClientContext, intent.transcript_hash);
  }
  Bytes operator()(const Tls12ServerKeyExchange& intent) const {
    Bytes content;
    content.reserve(intent.client_random.size() + intent.server_random.size() +
                    intent.params.size());
    Append(content, intent.client_random);
    Append(content, intent.server_random);
    Append(content, intent.params);
    return content;
  }
  Bytes operator()(const Tls12ClientCertificateVerify& intent) const {
    return intent.handshake_messages;
  }
  Bytes operator()(const Tls12RsaPremaster&) const { return {}; }
};

}  // namespace

Bytes ContentToSign(const Intent& intent) { return std::visit(Content(), intent); }

}  // namespace handfast::tls
