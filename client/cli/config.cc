// handfast config validate FILE: the judge is handfastd itself, so that there is one reader.

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "client/cli/command.h"

namespace handfast::cli {
namespace {

constexpr int kNoSuchProgram = 127;

// Beside this program, as installed and as built; else by PATH.
std::string FindService() {
  char self[4096];
  const ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
  if (size > 0) {
    std::string folder(self, static_cast<size_t>(size));
    folder.erase(folder.rfind('/') + 1);
    for (const char* place : {"handfastd", "../../server/handfastd"}) {
      if (access((folder + place).c_str(), X_OK) == 0) return folder + place;
    }
  }
  return "handfastd";
}

// The program's exit code; kNoSuchProgram where there is none.
int Run(const std::string& program, const std::string& file) {
  const pid_t child = fork();
  if (child < 0) return kNoSuchProgram;
  if (child == 0) {
    execlp(program.c_str(), program.c_str(), "--config", file.c_str(), "--check-config", nullptr);
    _exit(kNoSuchProgram);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return kNoSuchProgram;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
}

void Validate(const std::string& file, std::string program, Common& common) {
  if (access(file.c_str(), R_OK) != 0) {
    return ReportUsage(file + ": " + std::strerror(errno), common);
  }
  if (program.empty()) program = FindService();
  const int code = Run(program, file);
  if (code == kNoSuchProgram) {
    return ReportUsage("found no handfastd to judge the file: give --handfastd PATH", common);
  }
  if (code == 0) {
    std::printf("%s: valid\n", file.c_str());
  } else {
    common.exit_code = kUsage;
  }
}

}  // namespace

void DeclareConfig(CLI::App& app, Common& common) {
  CLI::App* config = app.add_subcommand("config", "The service's configuration file");
  config->require_subcommand(1);
  CLI::App* validate = config->add_subcommand("validate", "Judge a file without using it");
  auto file = std::make_shared<std::string>();
  auto program = std::make_shared<std::string>();
  validate->add_option("FILE", *file, "The YAML file")->required();
  validate->add_option("--handfastd", *program, "The service's program; default: found");
  validate->callback([file, program, &common] { Validate(*file, *program, common); });
}

}  // namespace handfast::cli
