#include "client/edge/options_file.h"

#include <set>
#include <vector>

#include <CLI/CLI.hpp>
#include <yaml-cpp/yaml.h>

namespace handfast::edge {
namespace {

constexpr const char* kRoutes = "routes";

std::string At(const std::string& path, const YAML::Mark& mark) {
  return path + ":" + std::to_string(mark.line + 1) + ": ";
}

// The texts that a flag would have been given; nullopt where the node has another shape.
std::optional<std::vector<std::string>> Values(const std::string& key, const YAML::Node& node) {
  std::vector<std::string> values;
  if (key == kRoutes) {
    if (!node.IsMap()) return std::nullopt;
    for (const auto& route : node) {
      if (!route.first.IsScalar() || !route.second.IsScalar()) return std::nullopt;
      values.push_back(route.first.Scalar() + "=" + route.second.Scalar());
    }
  } else if (node.IsScalar()) {
    values.push_back(node.Scalar());
  } else if (node.IsSequence()) {
    for (const auto& item : node) {
      if (!item.IsScalar()) return std::nullopt;
      values.push_back(item.Scalar());
    }
  } else {
    return std::nullopt;
  }
  return values;
}

std::optional<std::string> ApplyOne(const std::string& where, const std::string& key,
                                    const YAML::Node& value, CLI::App& app) {
  const bool is_special = key == "config" || key == "help" || key == "route";
  CLI::Option* option = app.get_option_no_throw("--" + (key == kRoutes ? "route" : key));
  if (option == nullptr || is_special) {
    return where + "no such key: " + key +
           " (the keys are the flags of handfast-edge --help, and " + kRoutes + ")";
  }
  const auto values = Values(key, value);
  const bool many = option->get_expected_max() > 1;
  if (!values || (values->size() != 1 && !many)) {
    return where + key + " has a value of the wrong shape";
  }
  // A flag or the environment goes before the file.
  if (option->count() > 0 || values->empty()) return std::nullopt;
  try {
    option->add_result(*values);
    option->run_callback();
  } catch (const CLI::Error& error) {
    return where + error.what();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> ApplyOptionsFile(const std::string& path, CLI::App& app) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(path);
  } catch (const YAML::BadFile&) {
    return path + ": cannot be read";
  } catch (const YAML::Exception& error) {
    return At(path, error.mark) + error.msg;
  }
  if (root.IsNull()) return std::nullopt;
  if (!root.IsMap()) return path + ":1: the file must be a map of flags to values";
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const std::string where = At(path, entry.first.Mark());
    if (!entry.first.IsScalar()) return where + "a key must be a word";
    const std::string& key = entry.first.Scalar();
    if (!seen.insert(key).second) return where + key + " is there twice";
    if (auto wrong = ApplyOne(where, key, entry.second, app)) return wrong;
  }
  return std::nullopt;
}

}  // namespace handfast::edge
