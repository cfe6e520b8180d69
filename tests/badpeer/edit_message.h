// Edits of a message by its fields: parsed, changed and written again, lengths and all. A field is
// a view: what it is made to look at must outlive the script.
#ifndef HANDFAST_TESTS_BADPEER_EDIT_MESSAGE_H_
#define HANDFAST_TESTS_BADPEER_EDIT_MESSAGE_H_

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "tests/badpeer/script.h"
#include "tls/wire/messages.h"

namespace handfast::tls::badpeer {

// Ends the process where the message at `place` is no M, or becomes one that cannot be written.
template <class M>
Edit EditAs(Place place, const std::string& what, const std::function<void(M&)>& edit) {
  return Mutate(place, what, [what, edit](Outgoing& record) {
    const Bytes before = record.content;
    auto message = Parse<M>(ByteView(before).subspan(kHandshakeHeaderSize));
    Bytes after;
    if (message) edit(*message);
    if (!message || before[0] != static_cast<uint8_t>(M::kType) ||
        !AppendMessage(after, *message)) {
      std::fprintf(stderr, "%s: no such message, or it cannot be written\n", what.c_str());
      std::abort();
    }
    record.content = std::move(after);
  });
}

// Replaces the extension's body, or appends the extension.
template <class M>
Edit SetExtension(Place place, ExtensionType type, const Bytes& body) {
  return EditAs<M>(place, "Set:" + Name(type), [type, body](M& message) {
    if constexpr (requires { message.has_extensions; }) message.has_extensions = true;
    for (Extension& extension : message.extensions) {
      if (extension.type != type) continue;
      extension.data = body;
      return;
    }
    message.extensions.push_back({type, body});
  });
}

template <class M>
Edit RemoveExtension(Place place, ExtensionType type) {
  return EditAs<M>(place, "Remove:" + Name(type), [type](M& message) {
    if (std::erase_if(message.extensions, [&](const Extension& e) { return e.type == type; }) ==
        0) {
      std::fprintf(stderr, "there is no %s to remove\n", Name(type).c_str());
      std::abort();
    }
  });
}

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_EDIT_MESSAGE_H_
