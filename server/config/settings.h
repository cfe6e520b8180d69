// The settings that the environment and flags override: single values outside of lists.
#ifndef HANDFAST_SERVER_CONFIG_SETTINGS_H_
#define HANDFAST_SERVER_CONFIG_SETTINGS_H_

#include <map>
#include <string>

#include "handfast/v1/config.pb.h"
#include "server/config/mistakes.h"

namespace handfast::config {

// Both override what stands in `config`; flags come last and so win. A variable that names no
// setting is passed over, a flag that names none is a mistake.
void ApplyEnvironment(const std::map<std::string, std::string>& environment, v1::Config& config,
                      Places& places, Mistakes& mistakes);
void ApplyFlags(const std::map<std::string, std::string>& flags, v1::Config& config, Places& places,
                Mistakes& mistakes);

}  // namespace handfast::config

#endif  // HANDFAST_SERVER_CONFIG_SETTINGS_H_
