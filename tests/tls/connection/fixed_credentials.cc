#include "tests/tls/connection/fixed_credentials.h"

#include <cstdlib>
#include <utility>

#include "tls/crypto/pem.h"

namespace handfast::tls::test {
namespace {

constexpr char kRootPem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBLzCB4qADAgECAgID6TAFBgMrZXAwHzEdMBsGA1UEAwwUSGFuZGZhc3QgZ29s\n"
    "ZGVuIHJvb3QwHhcNMjAwMTAxMDAwMDAwWhcNNDkxMjMxMDAwMDAwWjAfMR0wGwYD\n"
    "VQQDDBRIYW5kZmFzdCBnb2xkZW4gcm9vdDAqMAUGAytlcAMhALFth/DggetGvTUO\n"
    "1NdJe+JlDCN2YKmW3jZlFCcIPjHDo0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1Ud\n"
    "DwEB/wQEAwIBBjAdBgNVHQ4EFgQU1ymvmLCX6ccI1sH809rb49mZ/dUwBQYDK2Vw\n"
    "A0EAiaM7OUnQa530WpfU0bpfbCzpubJ+ZIoTAZ+aHrO3i9LKeeVtSIxT6NhG3xLM\n"
    "EGznIrZiFtKEVxxciKqvKZkDBw==\n"
    "-----END CERTIFICATE-----\n";

constexpr char kServerPem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBcDCCASKgAwIBAgICA+owBQYDK2VwMB8xHTAbBgNVBAMMFEhhbmRmYXN0IGdv\n"
    "bGRlbiByb290MB4XDTIwMDEwMTAwMDAwMFoXDTQ5MTIzMTAwMDAwMFowETEPMA0G\n"
    "A1UEAwwGc2VydmVyMCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1f\n"
    "HdyGZBJVMbijgY8wgYwwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYD\n"
    "VR0OBBYEFP2Bpttk1vr39wLAeXGoLCXB3DyQMB8GA1UdIwQYMBaAFNcpr5iwl+nH\n"
    "CNbB/NPa2+PZmf3VMBMGA1UdJQQMMAoGCCsGAQUFBwMBMBcGA1UdEQQQMA6CDGV4\n"
    "YW1wbGUudGVzdDAFBgMrZXADQQDDBva0PBRgbgK3Vw8IMnPzYOwCQ/Y5/KYdvFYH\n"
    "evHskSmH/DPmZ8/ZsZsARo8oOPk4arV+ZDJLVFcTKguRg1wA\n"
    "-----END CERTIFICATE-----\n";

constexpr char kClientPem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgDCCATKgAwIBAgICA+swBQYDK2VwMB8xHTAbBgNVBAMMFEhhbmRmYXN0IGdv\n"
    "bGRlbiByb290MB4XDTIwMDEwMTAwMDAwMFoXDTQ5MTIzMTAwMDAwMFowETEPMA0G\n"
    "A1UEAwwGY2xpZW50MCowBQYDK2VwAyEAJUO5L/EJVRFHatyDadtt3JM2ZaEZeN2h\n"
    "QE7hBmypVZ2jgZ8wgZwwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYD\n"
    "VR0OBBYEFH1U4WEGwupi3KJTZm1k6HSNlBmIMB8GA1UdIwQYMBaAFNcpr5iwl+nH\n"
    "CNbB/NPa2+PZmf3VMBMGA1UdJQQMMAoGCCsGAQUFBwMCMCcGA1UdEQQgMB6GHHNw\n"
    "aWZmZTovL2V4YW1wbGUudGVzdC9jbGllbnQwBQYDK2VwA0EAPRXH+SQUSFOijBrO\n"
    "pu2eWiqV10qREP8In54huoSBM9N/wSPGjsN55BHAofVgcCh7dlXs87taCI38I28y\n"
    "fgcrBw==\n"
    "-----END CERTIFICATE-----\n";

// RFC 8410 §7: the private key is 32 bytes, here counting up from `first`.
Bytes Ed25519Key(uint8_t first) {
  Bytes der = FromHex("302e020100300506032b657004220420").value();
  for (int i = 0; i < 32; ++i) der.push_back(static_cast<uint8_t>(first + i));
  return der;
}

Leaf Fixed(const char* pem, uint8_t first_key_byte) {
  Leaf leaf;
  Result<std::vector<Bytes>> chain = CertificatesFromPem(pem);
  if (!chain.ok()) std::abort();
  leaf.chain = *std::move(chain);
  leaf.key_pkcs8 = Ed25519Key(first_key_byte);
  leaf.chain_pem = pem;
  return leaf;
}

}  // namespace

const Leaf& FixedServer() {
  static const Leaf leaf = Fixed(kServerPem, 0x00);
  return leaf;
}

const Leaf& FixedClient() {
  static const Leaf leaf = Fixed(kClientPem, 0x40);
  return leaf;
}

ServerKit FixedKit(ClientAuth client_auth) {
  ServerKit kit = ServerKit::For(FixedServer());
  kit.profile.client_auth = client_auth;
  if (client_auth == ClientAuth::kNone) return kit;
  Result<TrustBundle> bundle = TrustBundle::FromPem(kRootPem);
  if (!bundle.ok()) std::abort();
  kit.clients = std::make_shared<const TrustBundle>(*std::move(bundle));
  kit.profile.certificate_authorities = kit.clients->subjects();
  return kit;
}

}  // namespace handfast::tls::test
