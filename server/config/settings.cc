#include "server/config/settings.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "server/config/document.h"
#include "server/config/load.h"

namespace handfast::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void Collect(const Descriptor& type, const std::string& prefix, std::vector<std::string>& paths) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_repeated()) continue;
    const std::string path = prefix + field.name();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Collect(*field.message_type(), path + ".", paths);
    } else {
      paths.push_back(path);
    }
  }
}

std::string VariableOf(const std::string& path) {
  return "HANDFAST_" + absl::AsciiStrToUpper(absl::StrReplaceAll(path, {{".", "_"}}));
}

// `path` is a setting's.
void Set(const std::string& path, const std::string& value, const std::string& source,
         v1::Config& config, Places& places, Mistakes& mistakes) {
  Message* message = &config;
  std::string rest = path;
  for (size_t dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
    const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(rest.substr(0, dot));
    message = message->GetReflection()->MutableMessage(message, field);
    rest = rest.substr(dot + 1);
  }
  const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(rest);
  places.Set(path, {source, 0});
  const std::string wrong = SetScalar(*message, *field, value);
  if (!wrong.empty()) mistakes.Add({source, 0}, absl::StrCat("`", path, "` ", wrong));
}

}  // namespace

std::vector<Setting> Settings() {
  std::vector<std::string> paths;
  Collect(*v1::Config::descriptor(), "", paths);
  std::vector<Setting> settings;
  settings.reserve(paths.size());
  for (const std::string& path : paths) settings.push_back({path, VariableOf(path)});
  return settings;
}

void ApplyEnvironment(const std::map<std::string, std::string>& environment, v1::Config& config,
                      Places& places, Mistakes& mistakes) {
  for (const Setting& setting : Settings()) {
    const auto found = environment.find(setting.environment);
    if (found == environment.end()) continue;
    Set(setting.path, found->second, absl::StrCat("environment variable ", setting.environment),
        config, places, mistakes);
  }
}

void ApplyFlags(const std::map<std::string, std::string>& flags, v1::Config& config, Places& places,
                Mistakes& mistakes) {
  std::vector<std::string> known;
  for (const Setting& setting : Settings()) known.push_back(setting.path);
  for (const auto& [path, value] : flags) {
    const std::string source = absl::StrCat("flag --set ", path);
    if (std::find(known.begin(), known.end(), path) == known.end()) {
      mistakes.Add({source, 0}, absl::StrCat("there is no such setting", Hint(path, known)));
    } else {
      Set(path, value, source, config, places, mistakes);
    }
  }
}

}  // namespace handfast::config
