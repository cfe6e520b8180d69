// The edge's YAML file: a map whose keys are the flags' names, and `routes`, a map of name to
// backend. Strict: an unknown key or a value of the wrong shape is an error with file and line.
#ifndef HANDFAST_CLIENT_EDGE_OPTIONS_FILE_H_
#define HANDFAST_CLIENT_EDGE_OPTIONS_FILE_H_

#include <optional>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): a library's name
class App;
}

namespace handfast::edge {

// Sets the options of `app` that neither a flag nor the environment set. What is wrong ("FILE:LINE:
// ..."), or nullopt.
std::optional<std::string> ApplyOptionsFile(const std::string& path, CLI::App& app);

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_OPTIONS_FILE_H_
