#include "server/rpc/key_view.h"

namespace handfast::rpc {

// custody's and the contract's numbers are the same; this is where they must stay so.
static_assert(static_cast<int>(tls::KeyType::kRsa2048) == v1::KEY_TYPE_RSA_2048);
static_assert(static_cast<int>(tls::KeyType::kRsa3072) == v1::KEY_TYPE_RSA_3072);
static_assert(static_cast<int>(tls::KeyType::kRsa4096) == v1::KEY_TYPE_RSA_4096);
static_assert(static_cast<int>(tls::KeyType::kEcdsaP256) == v1::KEY_TYPE_ECDSA_P256);
static_assert(static_cast<int>(tls::KeyType::kEcdsaP384) == v1::KEY_TYPE_ECDSA_P384);
static_assert(static_cast<int>(tls::KeyType::kEcdsaP521) == v1::KEY_TYPE_ECDSA_P521);
static_assert(static_cast<int>(tls::KeyType::kEd25519) == v1::KEY_TYPE_ED25519);
static_assert(static_cast<int>(custody::CredentialState::kPending) == v1::Credential::PENDING);
static_assert(static_cast<int>(custody::CredentialState::kActive) == v1::Credential::ACTIVE);

v1::Key ToProto(const custody::Key& key) {
  v1::Key proto;
  proto.set_name(key.name);
  proto.set_type(static_cast<v1::KeyType>(key.type));
  proto.set_public_key(key.public_key_der.data(), key.public_key_der.size());
  proto.set_create_time(key.create_time_unix_s);
  proto.set_imported(key.imported);
  return proto;
}

v1::Credential ToProto(const custody::Credential& credential) {
  v1::Credential proto;
  proto.set_name(credential.name);
  proto.set_key(credential.key);
  proto.set_state(static_cast<v1::Credential::State>(credential.state));
  proto.set_certificate_chain_pem(credential.certificate_chain_pem);
  for (const std::string& name : credential.dns_names) proto.add_dns_names(name);
  proto.set_default_credential(credential.is_default);
  proto.set_certificate_request_pem(credential.certificate_request_pem);
  proto.set_not_after(credential.not_after_unix_s);
  proto.set_create_time(credential.create_time_unix_s);
  proto.set_ocsp_next_update(credential.ocsp_next_update_unix_s);
  return proto;
}

v1::ImportKeyResponse ToProto(const custody::ImportedKey& imported) {
  v1::ImportKeyResponse proto;
  *proto.mutable_key() = ToProto(imported.key);
  if (imported.credential) *proto.mutable_credential() = ToProto(*imported.credential);
  return proto;
}

v1::ListKeysResponse ToProto(const custody::KeyPage& page) {
  v1::ListKeysResponse proto;
  for (const custody::Key& key : page.keys) *proto.add_keys() = ToProto(key);
  proto.set_next_page_token(page.next_page_token);
  return proto;
}

v1::ListCredentialsResponse ToProto(const custody::CredentialPage& page) {
  v1::ListCredentialsResponse proto;
  for (const custody::Credential& credential : page.credentials) {
    *proto.add_credentials() = ToProto(credential);
  }
  proto.set_next_page_token(page.next_page_token);
  return proto;
}

std::optional<tls::KeyType> ToKeyType(v1::KeyType type) {
  if (type == v1::KEY_TYPE_UNSPECIFIED || !v1::KeyType_IsValid(type)) return std::nullopt;
  return static_cast<tls::KeyType>(type);
}

}  // namespace handfast::rpc
