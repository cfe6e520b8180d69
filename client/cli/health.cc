// handfast health

#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "client/cli/command.h"
#include "client/core/service.h"

namespace handfast::cli {
namespace {

void Health(const std::string& service, Common& common) {
  if (!PrepareEndpoint(common)) return;
  const auto called = client::Service(common.endpoint).Serving(service);
  if (!called.status.ok()) return Report(called.status, common);
  if (!called.reply) common.exit_code = kFailed;
  if (common.output == Output::kJson) {
    std::printf("{\"serving\": %s}\n", called.reply ? "true" : "false");
  } else {
    std::printf("%s: %s\n", common.endpoint.address.c_str(),
                called.reply ? "serving" : "not serving");
  }
}

}  // namespace

void DeclareHealth(CLI::App& app, Common& common) {
  CLI::App* health = app.add_subcommand("health", "Ask whether the service is serving");
  auto service = std::make_shared<std::string>();
  health->add_option("--service", *service,
                     "handfast.v1.HandshakeService and the like; default: the whole server");
  health->callback([service, &common] { Health(*service, common); });
}

}  // namespace handfast::cli
