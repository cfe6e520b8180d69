#include "tests/interop/programs.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "tests/interop/pki.h"
#include "tests/support/process.h"

namespace handfast::tls::test {
namespace {

using handfast::test::FindProgram;
using handfast::test::Process;

constexpr char kJssePeerSource[] = "tests/interop/JssePeer.java";

struct Package {
  std::string name;
  std::vector<std::string> programs;  // with a slash: a path
};

Package PackageOf(Stack stack) {
  switch (stack) {
    case Stack::kOpenssl:
      return {"openssl", {"openssl"}};
    case Stack::kGnutls:
      return {"gnutls-bin", {"gnutls-cli", "gnutls-serv"}};
    case Stack::kCurl:
      return {"curl", {"curl"}};
    case Stack::kNss:
      return {"libnss3-tools", {"tstclnt", "selfserv", "certutil", "pk12util"}};
    case Stack::kMbedtls:
      return {"libmbedtls-dev", {kMbedtlsClient, kMbedtlsServer}};
    case Stack::kWolfssl:
      return {"libwolfssl-dev", {kWolfsslPeer}};
    case Stack::kBoringssl:
      return {"android-libboringssl-dev", {kBoringsslPeer}};
    case Stack::kJsse:
      return {"default-jdk-headless", {"java", "javac"}};
    case Stack::kNginx:
      return {"nginx-light", {"nginx"}};
    case Stack::kHaproxy:
      return {"haproxy", {"haproxy"}};
  }
  return {};
}

bool IsThere(const std::string& program) {
  if (program.find('/') != std::string::npos) return access(program.c_str(), X_OK) == 0;
  return !FindProgram(program).empty();
}

std::string CompiledJssePeer() {
  const std::string folder = NewFolder("jsse");
  Process javac({FindProgram("javac"), "-d", folder, kJssePeerSource});
  javac.CloseInput();
  if (javac.WaitForExit(std::chrono::minutes(1)) == 0) return folder;
  std::fprintf(stderr, "javac: %s\n", javac.output().c_str());
  std::abort();
}

}  // namespace

std::string MissingPackage(Stack stack) {
  const Package package = PackageOf(stack);
  for (const std::string& program : package.programs) {
    if (!IsThere(program)) return package.name;
  }
  return "";
}

Argv OpensslIn(const std::string& root) {
  if (root.empty()) return {FindProgram("openssl")};
  return {root + "/usr/lib64/ld-linux-x86-64.so.2", "--library-path",
          root + "/usr/lib/x86_64-linux-gnu", root + "/usr/bin/openssl"};
}

Argv JssePeer(const std::vector<NamedGroup>& groups) {
  static const std::string folder = CompiledJssePeer();
  // For a machine that lives a second: no second compiler, no threads for garbage.
  Argv argv = {FindProgram("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", folder};
  if (!groups.empty()) {
    argv.push_back("-Djdk.tls.namedGroups=" +
                   Join(groups, {"x25519", "secp256r1", "secp384r1", "secp521r1"}, ","));
  }
  argv.emplace_back("JssePeer");
  return argv;
}

std::string Join(const std::vector<NamedGroup>& groups, const std::array<const char*, 4>& names,
                 const std::string& separator) {
  std::string list;
  for (NamedGroup group : groups) {
    if (!list.empty()) list += separator;
    switch (group) {
      case NamedGroup::kX25519:
        list += names[0];
        break;
      case NamedGroup::kSecp256r1:
        list += names[1];
        break;
      case NamedGroup::kSecp384r1:
        list += names[2];
        break;
      default:
        list += names[3];
    }
  }
  return list;
}

std::string PeerGroups(const std::vector<NamedGroup>& groups) {
  return Join(groups, {"x25519", "p256", "p384", "p521"}, ",");
}

std::string GnutlsPriority(ProtocolVersion version, const std::vector<NamedGroup>& groups) {
  std::string priority = "NORMAL:-VERS-ALL:";
  priority += version == ProtocolVersion::kTls13 ? "+VERS-TLS1.3" : "+VERS-TLS1.2";
  if (groups.empty()) return priority;
  return priority + ":-GROUP-ALL:" +
         Join(groups, {"+GROUP-X25519", "+GROUP-SECP256R1", "+GROUP-SECP384R1", "+GROUP-SECP521R1"},
              ":");
}

}  // namespace handfast::tls::test
