#include "tests/interop/pki.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "tests/support/process.h"

namespace handfast::tls::test {
namespace {

using handfast::test::FindProgram;
using handfast::test::Process;

void Require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "pki: %s\n", what.c_str());
  std::abort();
}

// Where no test runner gave a folder, a new one.
const std::string& Folder() {
  static const std::string folder = [] {
    const char* given = std::getenv("TEST_TMPDIR");
    char made[] = "/tmp/hf.XXXXXX";
    return std::string(given != nullptr ? given : mkdtemp(made));
  }();
  return folder;
}

void Must(std::vector<std::string> argv) {
  const std::string name = argv[0];
  argv[0] = FindProgram(name);
  Require(!argv[0].empty(), name + " is not installed");
  Process process(argv);
  process.CloseInput();
  const bool done = process.WaitForExit(std::chrono::seconds(20)) == 0;
  Require(done, name + ": " + process.output());
}

// The only form in which pk12util takes a private key. Encrypted under an empty password.
std::string Pkcs12(const Leaf& leaf) {
  const uint8_t* der = leaf.chain[0].data();
  X509* certificate = d2i_X509(nullptr, &der, static_cast<int64_t>(leaf.chain[0].size()));
  der = leaf.key_pkcs8.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &der, static_cast<int64_t>(leaf.key_pkcs8.size()));
  PKCS12* bundle = PKCS12_create("", kNickname, key, certificate, nullptr, 0, 0, 0, 0, 0);
  Require(bundle != nullptr, "PKCS12_create");
  BIO* out = BIO_new(BIO_s_mem());
  Require(i2d_PKCS12_bio(out, bundle) == 1, "PKCS#12");
  char* bytes = nullptr;
  const int64_t size = BIO_get_mem_data(out, &bytes);
  std::string content(bytes, static_cast<size_t>(size));
  BIO_free(out);
  PKCS12_free(bundle);
  EVP_PKEY_free(key);
  X509_free(certificate);
  return content;
}

std::string NewNssDatabase(const std::string& name, const Leaf* leaf) {
  std::string database = "sql:" + NewFolder(name);
  Must({"certutil", "-N", "--empty-password", "-d", database});
  // Trusted for servers, and for clients.
  Must({"certutil", "-A", "-n", "root", "-t", "CT,,", "-i", RootFile(), "-d", database});
  if (leaf != nullptr) {
    const std::string bundle = WriteFile(name + ".p12", Pkcs12(*leaf));
    Must({"pk12util", "-i", bundle, "-W", "", "-K", "", "-d", database});
  }
  return database;
}

LeafFiles FilesOf(const std::string& name, const Leaf& leaf) {
  return {WriteFile(name + ".pem", leaf.chain_pem), WriteFile(name + ".key.pem", leaf.key_pem),
          WriteFile(name + ".both.pem", leaf.chain_pem + leaf.key_pem)};
}

}  // namespace

std::string WriteFile(const std::string& name, const std::string& content) {
  std::string path = Folder() + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string NewFolder(const std::string& name) {
  std::string folder = Folder() + "/" + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  return folder;
}

const TestCa& Root() {
  static const TestCa root = TestCa::Create("interop root");
  return root;
}

const Leaf& ServerLeaf(KeyType type) {
  static std::map<KeyType, Leaf> leaves;
  Leaf& leaf = leaves[type];
  if (leaf.chain.empty()) {
    const bool rsa = type == KeyType::kRsa2048;
    leaf = Root().Issue({.type = type, .dns = {kServerName}, .key_encipherment = rsa});
  }
  return leaf;
}

const Leaf& ClientLeaf(KeyType type) {
  static std::map<KeyType, Leaf> leaves;
  Leaf& leaf = leaves[type];
  if (leaf.chain.empty()) {
    leaf = Root().Issue({.type = type,
                         .common_name = "client",
                         .uris = {"spiffe://example.test/client"},
                         .server = false,
                         .client = true});
  }
  return leaf;
}

std::string RootFile() {
  static const std::string path = WriteFile("root.pem", Root().root_pem());
  return path;
}

LeafFiles ClientFilesOf(KeyType type) {
  static std::map<KeyType, LeafFiles> files;
  LeafFiles& of_type = files[type];
  if (of_type.key.empty()) of_type = FilesOf("client." + std::string(Name(type)), ClientLeaf(type));
  return of_type;
}

LeafFiles ServerFilesOf(KeyType type) {
  static std::map<KeyType, LeafFiles> files;
  LeafFiles& of_type = files[type];
  if (of_type.key.empty()) of_type = FilesOf("server." + std::string(Name(type)), ServerLeaf(type));
  return of_type;
}

std::string NssDatabase(const KeyType* client) {
  static std::map<int, std::string> databases;
  std::string& database = databases[client == nullptr ? 0 : static_cast<int>(*client)];
  if (!database.empty()) return database;
  if (client == nullptr) return database = NewNssDatabase("nss", nullptr);
  return database = NewNssDatabase("nss." + std::string(Name(*client)), &ClientLeaf(*client));
}

std::string NssServerDatabase(KeyType type) {
  static std::map<KeyType, std::string> databases;
  std::string& database = databases[type];
  if (database.empty()) {
    database = NewNssDatabase("nss.server." + std::string(Name(type)), &ServerLeaf(type));
  }
  return database;
}

}  // namespace handfast::tls::test
