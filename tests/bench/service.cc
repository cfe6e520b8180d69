#include "tests/bench/service.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/bench/require.h"

namespace handfast::bench {

Folder::Folder() {
  char path[] = "/tmp/hf.XXXXXX";
  Require(mkdtemp(path) != nullptr, "a folder in /tmp");
  path_ = path;
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

std::string Folder::Write(const std::string& name, const std::string& content) const {
  std::string path = path_ + "/" + name;
  std::ofstream(path) << content;
  chmod(path.c_str(), 0600);
  return path;
}

Service::Service(const std::string& programs, const std::string& folder,
                 const tls::test::Leaf& leaf, const std::string& document)
    : endpoint_("unix:" + folder + "/handfast.sock") {
  setenv("HANDFAST_STATE_DIR", folder.c_str(), 1);
  std::vector<std::string> command = {programs + "/server/handfastd",
                                      "--ready-file",
                                      folder + "/ready",
                                      "--set",
                                      "log.level=warning",
                                      "--set",
                                      "admin.address=127.0.0.1:" + std::to_string(FreePort())};
  if (!document.empty()) {
    std::ofstream(folder + "/handfast.yaml")
        << "listeners: [{unix: {path: " << folder << "/handfast.sock}}]\n"
        << "principals: [{name: \"" << endpoint_
        << "\", tenant: default, roles: [caller, operator], release_keys: true}]\n"
        << document;
    command.insert(command.end(), {"--config", folder + "/handfast.yaml"});
  }
  child_ = std::make_unique<Child>(command, folder + "/handfastd.log");
  AwaitFile(folder + "/ready");
  std::ofstream(folder + "/key.pem") << leaf.key_pem;
  chmod((folder + "/key.pem").c_str(), 0600);
  std::ofstream(folder + "/chain.pem") << leaf.chain_pem;
  setenv("HANDFAST_ENDPOINT", endpoint_.c_str(), 1);
  Require(
      RunToEnd({programs + "/client/cli/handfast", "keys", "import", "--id", "bench", "--key-file",
                folder + "/key.pem", "--chain-file", folder + "/chain.pem", "--default"},
               folder + "/import.log"),
      "the key is imported");
}

}  // namespace handfast::bench
