// From a YAML document, the environment and flags to a Config: flag > environment > file > default.
// A pure function of its input, but for the question whether the files it names are there. A
// mistake is told with file, line and what was probably meant: all that the schema forbids at once,
// and when there is none, all that makes no sense.
#ifndef HANDFAST_SERVER_CONFIG_LOAD_H_
#define HANDFAST_SERVER_CONFIG_LOAD_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/config/config.h"
#include "server/config/named_file.h"

namespace handfast::config {

struct LoadInput {
  // The document; nullopt: the embedded one, which opens a Unix socket in the state folder to the
  // user who runs the service.
  std::optional<std::string> document;
  // Its name in messages: "handfast.yaml".
  std::string document_name;
  // Variables by their whole name. Those that name a setting (see Settings) override the document;
  // others are passed over: Kubernetes sets variables of the same prefix for a service's name.
  std::map<std::string, std::string> environment;
  // Settings by their path, "log.level"; override the environment.
  std::map<std::string, std::string> flags;
  // Stand for ${STATE_DIR} and ${UID} in the embedded document and in defaults.
  std::string state_folder;
  uid_t uid = 0;
  // Processors, for the default number of worker threads.
  int processors = 1;
  // Not OK where a file does not hold what it must. Null: not asked.
  CheckFile check_file;
};

struct Loaded {
  Config config;
  // The whole configuration in force, defaults written out, as a document that Load takes.
  std::string dump;
};

// INVALID_ARGUMENT; the message has one line a mistake: "handfast.yaml:12: unknown key ...".
absl::StatusOr<Loaded> Load(const LoadInput& input);

// The settings that environment and flags can override: single values, by path.
struct Setting {
  std::string path;         // "log.level"
  std::string environment;  // "HANDFAST_LOG_LEVEL"
};
std::vector<Setting> Settings();

// Where the service keeps its state: $HANDFAST_STATE_DIR; else /var/lib/handfast for root, or where
// it can be written; else $XDG_STATE_HOME/handfast, ~/.local/state/handfast. Looks at the machine.
std::string DefaultStateFolder(const std::map<std::string, std::string>& environment);

// What this process has: for LoadInput. Look at the machine.
std::map<std::string, std::string> ProcessEnvironment();
absl::StatusOr<std::string> ReadDocument(const std::string& path);
absl::Status CheckReadable(const std::string& path);
// Reads it whole: every certificate must parse, a private key must be one of ours and fit.
absl::Status CheckNamedFile(const NamedFile& file);

}  // namespace handfast::config

#endif  // HANDFAST_SERVER_CONFIG_LOAD_H_
