#include "server/config/load.h"

#include <utility>

#include "handfast/v1/config.pb.h"
#include "server/config/defaults.h"
#include "server/config/document.h"
#include "server/config/mistakes.h"
#include "server/config/resolve.h"
#include "server/config/settings.h"

namespace handfast::config {

absl::StatusOr<Loaded> Load(const LoadInput& input) {
  const Surroundings surroundings{input.state_folder, input.uid, input.processors};
  v1::Config written;
  Places places;
  Mistakes mistakes;
  const std::string source = input.document ? input.document_name : kEmbeddedName;
  const std::string text = input.document ? *input.document : EmbeddedDocument(surroundings);
  ReadDocument(text, source, written, places, mistakes);
  ApplyEnvironment(input.environment, written, places, mistakes);
  ApplyFlags(input.flags, written, places, mistakes);
  // What could not be read would be told a second time, as missing.
  if (!mistakes.empty()) return mistakes.ToStatus();
  FillDefaults(surroundings, written);
  Loaded loaded{Resolve(written, places, input.check_file, mistakes), WriteDocument(written)};
  if (!mistakes.empty()) return mistakes.ToStatus();
  return loaded;
}

}  // namespace handfast::config
