#include "tests/support/handfastd.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <sstream>
#include <thread>
#include <utility>

#include "client/core/service.h"
#include "tests/support/net.h"
#include "tests/support/patience.h"

namespace handfast::test {

Handfastd::Handfastd(std::vector<std::string> flags) : flags_(std::move(flags)) {}

// Its state goes with it: there is nothing to end in order.
Handfastd::~Handfastd() = default;

void Handfastd::ConfigureForItsUser(const std::string& more) {
  const std::string socket = state_.File("handfast.sock");
  Configure("listeners:\n  - unix: {path: " + socket + "}\nprincipals:\n  - name: unix:" + socket +
            "\n    tenant: default\n"
            "    roles: [caller, operator]\n"
            "    release_keys: true\n" +
            more);
}

void Handfastd::Configure(std::string_view document) {
  const std::string file = state_.File("handfast.yaml");
  WriteFile(file, document);
  flags_.insert(flags_.end(), {"--config", file});
}

bool Handfastd::Start() {
  // The kernel chooses the port: one that was free a moment ago may be a connection's by now.
  std::vector<std::string> arguments = {Runfile("server/handfastd"), "--set",
                                        "admin.address=127.0.0.1:0"};
  arguments.insert(arguments.end(), flags_.begin(), flags_.end());
  process_ = std::make_unique<Process>(
      arguments, std::vector<std::string>{"HANDFAST_STATE_DIR=" + state_.path()});
  return process_->WaitForOutput("\"msg\":\"ready\"", kPatience);
}

int Handfastd::Stop() {
  if (!process_) return -1;
  process_->Signal(SIGTERM);
  return process_->WaitForExit(kPatience).value_or(-1);
}

void Handfastd::Kill() {
  process_->Signal(SIGKILL);
  (void)process_->WaitForExit(kPatience);
}

std::string Handfastd::Said(const std::string& name) const {
  const std::string start = "\"" + name + "\":\"";
  const std::string said = output();
  const size_t ready = said.find("\"msg\":\"ready\"");
  const size_t at = said.find(start, ready);
  if (ready == std::string::npos || at == std::string::npos) return {};
  const size_t begin = at + start.size();
  return said.substr(begin, said.find_first_of(" \"", begin) - begin);
}

bool Handfastd::Import(const std::string& id, const std::string& key, const std::string& chain,
                       bool is_default) {
  v1::ImportKeyRequest request;
  request.set_parent("tenants/default");
  request.set_key_id(id);
  request.set_private_key_pem(key);
  request.set_certificate_chain_pem(chain);
  request.set_default_credential(is_default);
  client::Endpoint where;
  where.address = endpoint();
  const client::RpcStatus status = client::Service(where).ImportKey(std::move(request)).status;
  if (!status.ok()) {
    std::fprintf(stderr, "ImportKey: %s: %s %s\n", client::CodeName(status.code).c_str(),
                 status.message.c_str(), status.details.c_str());
  }
  return status.ok();
}

bool Handfastd::WaitForReadyz(bool ready) const {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while ((HttpGet(admin(), "/readyz") == "ok\n") != ready) {
    if (std::chrono::steady_clock::now() > end) return false;
    // There is no event to wait for: what /readyz says is what is tested.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

std::string Handfastd::Metrics() const { return HttpGet(admin(), "/metrics"); }

double Handfastd::Sum(const std::string& metrics, const std::string& name,
                      const std::string& label) {
  std::istringstream lines(metrics);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool is_it = line.rfind(name + "{", 0) == 0 || line.rfind(name + " ", 0) == 0;
    if (is_it && line.find(label) != std::string::npos) {
      sum += std::stod(line.substr(line.rfind(' ') + 1));
    }
  }
  return sum;
}

bool Handfastd::WaitForSum(const std::string& admin, const std::string& name,
                           const std::string& label, double value) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (Sum(HttpGet(admin, "/metrics"), name, label) != value) {
    if (std::chrono::steady_clock::now() > end) return false;
    // There is no event to wait for: the metrics are what is tested.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace handfast::test
