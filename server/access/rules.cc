#include "server/access/rules.h"

#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace handfast::access {
namespace {

constexpr Rule kRules[] = {
    {"/handfast.v1.HandshakeService/Relay", Need::kCaller},
    {"/handfast.v1.HandshakeService/StartHandshake", Need::kCaller},
    {"/handfast.v1.HandshakeService/ClientHello", Need::kCaller},
    {"/handfast.v1.HandshakeService/ServerHello", Need::kCaller},
    {"/handfast.v1.HandshakeService/EncryptedExtensions", Need::kCaller},
    {"/handfast.v1.HandshakeService/Certificate", Need::kCaller},
    {"/handfast.v1.HandshakeService/CertificateStatus", Need::kCaller},
    {"/handfast.v1.HandshakeService/ServerKeyExchange", Need::kCaller},
    {"/handfast.v1.HandshakeService/CertificateRequest", Need::kCaller},
    {"/handfast.v1.HandshakeService/ServerHelloDone", Need::kCaller},
    {"/handfast.v1.HandshakeService/ClientKeyExchange", Need::kCaller},
    {"/handfast.v1.HandshakeService/CertificateVerify", Need::kCaller},
    {"/handfast.v1.HandshakeService/ChangeCipherSpec", Need::kCaller},
    {"/handfast.v1.HandshakeService/NewSessionTicket", Need::kCaller},
    {"/handfast.v1.HandshakeService/Finished", Need::kCaller},
    {"/handfast.v1.HandshakeService/Advance", Need::kCaller},
    {"/handfast.v1.HandshakeService/GetHandshake", Need::kCaller},
    {"/handfast.v1.HandshakeService/AbortHandshake", Need::kCaller},

    {"/handfast.v1.ConnectionService/GetConnection", Need::kCaller},
    {"/handfast.v1.ConnectionService/ListConnections", Need::kCaller},
    {"/handfast.v1.ConnectionService/ReleaseKeys", Need::kCaller},
    {"/handfast.v1.ConnectionService/UpdateKeys", Need::kCaller},
    {"/handfast.v1.ConnectionService/ExportKeyingMaterial", Need::kCaller},
    {"/handfast.v1.ConnectionService/TerminateConnection", Need::kCaller},

    {"/handfast.v1.RecordService/Seal", Need::kCaller},
    {"/handfast.v1.RecordService/Open", Need::kCaller},
    {"/handfast.v1.RecordService/Close", Need::kCaller},
    {"/handfast.v1.RecordService/Protect", Need::kCaller},

    {"/handfast.v1.KeyService/CreateKey", Need::kOperator},
    {"/handfast.v1.KeyService/ImportKey", Need::kOperator},
    {"/handfast.v1.KeyService/GetKey", Need::kOperator},
    {"/handfast.v1.KeyService/ListKeys", Need::kOperator},
    {"/handfast.v1.KeyService/CreateCredential", Need::kOperator},
    {"/handfast.v1.KeyService/SetCertificateChain", Need::kOperator},
    {"/handfast.v1.KeyService/SetOcspResponse", Need::kOperator},
    {"/handfast.v1.KeyService/ActivateCredential", Need::kOperator},
    {"/handfast.v1.KeyService/GetCredential", Need::kOperator},
    {"/handfast.v1.KeyService/ListCredentials", Need::kOperator},

    // Health and reflection tell nothing of any tenant. Channelz shows who is connected, to all
    // tenants alike, so it has no rule and nobody may call it.
    {"/grpc.health.v1.Health/Check", Need::kAuthenticated},
    {"/grpc.health.v1.Health/Watch", Need::kAuthenticated},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Need::kAuthenticated},
};

}  // namespace

std::span<const Rule> Rules() { return kRules; }

const Rule* FindRule(std::string_view method) {
  static const auto* const by_method = [] {
    auto* map = new absl::flat_hash_map<std::string_view, const Rule*>;
    for (const Rule& rule : kRules) map->emplace(rule.method, &rule);
    return map;
  }();
  const auto found = by_method->find(method);
  return found == by_method->end() ? nullptr : found->second;
}

}  // namespace handfast::access
