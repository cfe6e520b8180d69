// Keys and credentials as the contract shows them.
#ifndef HANDFAST_SERVER_RPC_KEY_VIEW_H_
#define HANDFAST_SERVER_RPC_KEY_VIEW_H_

#include <optional>

#include "handfast/v1/keys.pb.h"
#include "server/custody/records.h"

namespace handfast::rpc {

v1::Key ToProto(const custody::Key& key);
v1::Credential ToProto(const custody::Credential& credential);
v1::ImportKeyResponse ToProto(const custody::ImportedKey& imported);
v1::ListKeysResponse ToProto(const custody::KeyPage& page);
v1::ListCredentialsResponse ToProto(const custody::CredentialPage& page);

// Nullopt where the type is unspecified or unknown.
std::optional<tls::KeyType> ToKeyType(v1::KeyType type);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_KEY_VIEW_H_
