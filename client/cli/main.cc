// handfast: the command line. See README.md.

#include <cstdio>
#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "client/cli/command.h"

namespace handfast::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 failed, 2 a mistake in the command or a file, 3 the service cannot be\n"
    "reached, 4 it refuses this caller, 5 not found, 6 exists already or is in another state.\n"
    "Secrets are read from files or standard input, never from the command line.";

void DeclareCommon(CLI::App& app, Common& common) {
  app.add_option("--endpoint", common.endpoint.address,
                 "unix:PATH, or HOST:PORT with the three --tls files; default: HANDFAST_ENDPOINT, "
                 "else handfast.sock in HANDFAST_STATE_DIR");
  app.add_option("--tls-cert", common.endpoint.certificate_file, "This caller's certificate, PEM");
  app.add_option("--tls-key", common.endpoint.key_file, "Its key, PEM");
  app.add_option("--tls-ca", common.endpoint.ca_file, "Who signs the service's certificate, PEM");
  app.add_option("--tls-server-name", common.endpoint.server_name,
                 "The name in the service's certificate, if it is not the endpoint's host");
  app.add_option("--tenant", common.tenant, "Whose keys; default: default")
      ->envname("HANDFAST_TENANT");
  const std::map<std::string, Output> outputs = {{"table", Output::kTable},
                                                 {"json", Output::kJson}};
  app.add_option("-o,--output", common.output, "table or json")
      ->transform(CLI::CheckedTransformer(outputs));
}

int Main(int argc, char** argv) {
  Common common;
  CLI::App app("Keys, credentials and handshakes of a Handfast service.", "handfast");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  DeclareCommon(app, common);
  DeclareKeys(app, common);
  DeclareCredentials(app, common);
  DeclareHandshake(app, common);
  DeclareHealth(app, common);
  DeclareConfig(app, common);
  DeclareCompletion(app, common);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::printf("%s", app.help().c_str());
    return kSuccess;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "handfast: %s\n  Run handfast --help, or a command with --help.\n",
                 error.what());
    return kUsage;
  }
  return common.exit_code;
}

}  // namespace
}  // namespace handfast::cli

int main(int argc, char** argv) { return handfast::cli::Main(argc, argv); }
