// What settings mean: from the schema's message to Config, with every check that needs more than
// one field's type. A mistake is told where it was written.
#ifndef HANDFAST_SERVER_CONFIG_RESOLVE_H_
#define HANDFAST_SERVER_CONFIG_RESOLVE_H_

#include <string>

#include "handfast/v1/config.pb.h"
#include "server/config/config.h"
#include "server/config/mistakes.h"
#include "server/config/named_file.h"

namespace handfast::config {

// `written` has its defaults filled in. The result is of use only where no mistake was added.
Config Resolve(const v1::Config& written, const Places& places, const CheckFile& check_file,
               Mistakes& mistakes);

// "192.0.2.1:8443" or "[2001:db8::1]:8443"; false where it is none. Port 0: the
// system chooses.
bool ParseAddress(const std::string& text, std::string& host, uint16_t& port);

}  // namespace handfast::config

#endif  // HANDFAST_SERVER_CONFIG_RESOLVE_H_
