// The parts of load.h that look at the machine.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <span>

#include "absl/strings/str_cat.h"

#include "server/config/document.h"
#include "server/config/load.h"
#include "server/store/secret_file.h"
#include "tls/base/secret.h"
#include "tls/crypto/crl.h"
#include "tls/crypto/pem.h"
#include "tls/crypto/sign.h"
#include "tls/crypto/x509.h"

namespace handfast::config {
namespace {

constexpr char kSystemFolder[] = "/var/lib/handfast";
constexpr std::string_view kPrefix = "HANDFAST_";

// A bundle of a few hundred roots.
constexpr size_t kMaxPemSize = size_t{4} << 20;
// As server/trust: a large authority's list is some 10 MiB.
constexpr size_t kMaxCrlSize = size_t{64} << 20;

absl::StatusOr<std::string> ReadUpTo(const std::string& path, size_t most) {
  if (absl::Status status = CheckReadable(path); !status.ok()) return status;
  std::ifstream in(path, std::ios::binary);
  std::string text(most, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return absl::UnavailableError("cannot be read");
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

absl::StatusOr<std::vector<tls::Bytes>> ReadCertificates(const std::string& path) {
  absl::StatusOr<std::string> pem = ReadUpTo(path, kMaxPemSize);
  if (!pem.ok()) return pem.status();
  tls::Result<std::vector<tls::Bytes>> chain = tls::CertificatesFromPem(*pem);
  const auto parses = [](const tls::Bytes& der) { return tls::ReadCertificate(der).ok(); };
  if (!chain.ok() || !std::all_of(chain->begin(), chain->end(), parses)) {
    return absl::InvalidArgumentError("holds no certificate in PEM, or one that does not parse");
  }
  return *std::move(chain);
}

absl::Status CheckCrls(const NamedFile& file) {
  const absl::StatusOr<std::string> pem = ReadUpTo(file.path, kMaxCrlSize);
  if (!pem.ok()) return pem.status();
  if (tls::CrlSet::FromPem(*pem).ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "holds no revocation list in PEM, or one that does not parse, says no next update or is "
      "signed over SHA-1");
}

absl::Status CheckPrivateKey(const NamedFile& file) {
  absl::StatusOr<std::string> pem = ReadUpTo(file.path, kMaxPemSize);
  if (!pem.ok()) return pem.status();
  tls::Result<tls::Bytes> der = tls::PrivateKeyFromPem(*pem);
  tls::Wipe(std::span(reinterpret_cast<uint8_t*>(pem->data()), pem->size()));
  if (!der.ok()) {
    return absl::InvalidArgumentError("holds no unencrypted private key in PEM");
  }
  const tls::Result<tls::PrivateKey> key = tls::PrivateKey::FromPkcs8(*der);
  tls::Wipe(*der);
  if (!key.ok()) {
    return absl::InvalidArgumentError(
        "holds a key of a kind that is not supported (RSA 2048 to 4096, P-256, P-384, P-521, "
        "Ed25519)");
  }
  // What is wrong with that file is told where it is named itself.
  const absl::StatusOr<std::vector<tls::Bytes>> chain = ReadCertificates(file.certificate_file);
  if (chain.ok() && !tls::CheckChainFitsKey({chain->front()}, key->PublicKeyDer()).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("is not the key of the certificate in ", file.certificate_file));
  }
  return absl::OkStatus();
}

std::string Variable(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

}  // namespace

std::string DefaultStateFolder(const std::map<std::string, std::string>& environment) {
  if (std::string given = Variable(environment, "HANDFAST_STATE_DIR"); !given.empty()) return given;
  if (geteuid() == 0 || access(kSystemFolder, W_OK) == 0) return kSystemFolder;
  if (std::string state = Variable(environment, "XDG_STATE_HOME"); state.starts_with('/')) {
    return state + "/handfast";
  }
  return Variable(environment, "HOME") + "/.local/state/handfast";
}

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const bool wanted = name.starts_with(kPrefix) || name == "HOME" || name == "XDG_STATE_HOME";
    if (equals == std::string_view::npos || !wanted) continue;
    environment.emplace(name, text.substr(equals + 1));
  }
  return environment;
}

absl::StatusOr<std::string> ReadDocument(const std::string& path) {
  absl::StatusOr<std::string> text = ReadUpTo(path, kMaxDocumentSize + 1);
  if (text.ok()) return text;
  return absl::Status(text.status().code(), absl::StrCat(path, ": ", text.status().message()));
}

absl::Status CheckReadable(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot be read");
  struct stat info {};
  const bool file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  close(fd);
  return file ? absl::OkStatus() : absl::InvalidArgumentError("is no file");
}

absl::Status CheckNamedFile(const NamedFile& file) {
  switch (file.content) {
    case NamedFile::Content::kPrivateKey:
      return CheckPrivateKey(file);
    case NamedFile::Content::kCrls:
      return CheckCrls(file);
    case NamedFile::Content::kStoreKey:
      return store::ReadKeyFile(file.path).status();
    case NamedFile::Content::kPassword:
      return store::ReadPasswordFile(file.path).status();
    case NamedFile::Content::kCertificates:
      return ReadCertificates(file.path).status();
  }
  return absl::InternalError("cannot be checked");
}

}  // namespace handfast::config
