// Secrets and plaintext travel in messages as strings, which do not wipe themselves.
#ifndef HANDFAST_SERVER_RPC_WIPE_TEXT_H_
#define HANDFAST_SERVER_RPC_WIPE_TEXT_H_

#include <string>

#include "tls/base/secret.h"

namespace handfast::rpc {

inline void WipeText(std::string& text) {
  tls::Wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
}

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_WIPE_TEXT_H_
