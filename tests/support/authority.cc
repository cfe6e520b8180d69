#include "tests/support/authority.h"

#include <vector>

#include "tests/support/patience.h"
#include "tests/support/process.h"

namespace handfast::test {
namespace {

bool OpenSsl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), FindProgram("openssl"));
  Process process(arguments);
  process.CloseInput();
  return process.WaitForExit(kPatience) == 0;
}

std::vector<std::string> NewKey(const std::string& type) {
  if (type == "RSA") return {"-newkey", "rsa:2048", "-nodes"};
  return {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"};
}

}  // namespace

Authority::Authority() {
  std::vector<std::string> arguments = {"req", "-x509"};
  for (const std::string& part : NewKey("EC")) arguments.push_back(part);
  arguments.insert(arguments.end(), {"-days", "2", "-subj", "/CN=Test authority", "-keyout",
                                     folder_.File("ca.key"), "-out", file()});
  OpenSsl(arguments);
}

Issued Authority::Issue(const std::string& common_name, const std::string& names,
                        const std::string& key, const std::string& use) {
  const std::string stem = folder_.File(std::to_string(issued_++));
  Issued issued;
  issued.key_file = stem + ".key";
  issued.chain_file = stem + ".pem";
  std::vector<std::string> request = {"req", "-new"};
  for (const std::string& part : NewKey(key)) request.push_back(part);
  request.insert(request.end(), {"-subj", "/CN=" + common_name, "-keyout", issued.key_file, "-out",
                                 stem + ".csr"});
  if (!OpenSsl(request)) return {};
  issued.chain = Sign(ReadFile(stem + ".csr"), names, use);
  WriteFile(issued.chain_file, issued.chain);
  issued.key = ReadFile(issued.key_file);
  return issued;
}

std::string Authority::Sign(const std::string& request, const std::string& names,
                            const std::string& use) {
  const std::string stem = folder_.File("signed" + std::to_string(issued_++));
  WriteFile(stem + ".csr", request);
  WriteFile(stem + ".ext", "subjectAltName=" + names + "\nextendedKeyUsage=" + use +
                               "\nbasicConstraints=CA:false\n");
  const bool ok = OpenSsl({"x509", "-req", "-in", stem + ".csr", "-CA", file(), "-CAkey",
                           folder_.File("ca.key"), "-CAcreateserial", "-days", "1", "-extfile",
                           stem + ".ext", "-out", stem + ".pem"});
  return ok ? ReadFile(stem + ".pem") : std::string();
}

}  // namespace handfast::test
