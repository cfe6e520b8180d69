// Extensions in words, for the view of a message that passed.
#ifndef HANDFAST_SERVER_RPC_EXTENSION_VIEW_H_
#define HANDFAST_SERVER_RPC_EXTENSION_VIEW_H_

#include <string>

#include "handfast/v1/handshake.pb.h"
#include "tls/wire/extensions.h"

namespace handfast::rpc {

// The same extension is laid out otherwise in each of these.
enum class Within { kClientHello, kServerHello, kHelloRetryRequest, kEncryptedExtensions };

// What it says: "example.com", "h2, http/1.1", "x25519 (32 bytes)". Empty where it says nothing,
// or is unknown, or does not parse.
std::string Summary(const tls::Extension& extension, Within within);

template <class Message>
void ShowExtensions(const tls::Extensions& extensions, Within within, Message& into) {
  for (const tls::Extension& extension : extensions) {
    v1::Extension& shown = *into.add_extensions();
    shown.set_type(static_cast<uint32_t>(extension.type));
    shown.set_name(Name(extension.type));
    shown.set_length(static_cast<uint32_t>(extension.data.size()));
    shown.set_summary(Summary(extension, within));
  }
}

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_EXTENSION_VIEW_H_
