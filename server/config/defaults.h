// The document for no document, and what a setting is that nobody set.
#ifndef HANDFAST_SERVER_CONFIG_DEFAULTS_H_
#define HANDFAST_SERVER_CONFIG_DEFAULTS_H_

#include <sys/types.h>

#include <string>

#include "handfast/v1/config.pb.h"

namespace handfast::config {

// What defaults depend on.
struct Surroundings {
  std::string state_folder;
  uid_t uid = 0;
  int processors = 1;
};

// Opens a Unix socket in the state folder to the given user, as tenant `default`.
std::string EmbeddedDocument(const Surroundings& surroundings);

// Sets every setting that has a default and is not set.
void FillDefaults(const Surroundings& surroundings, v1::Config& config);

// The name of the embedded document in messages.
inline constexpr char kEmbeddedName[] = "(embedded defaults)";

}  // namespace handfast::config

#endif  // HANDFAST_SERVER_CONFIG_DEFAULTS_H_
