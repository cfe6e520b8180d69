// YAML to protobuf and back, by reflection: a message is a mapping, a field a key, a repeated field
// a list, an enumeration its value's name in lower case without the prefix. Strict: what the schema
// does not know is a mistake. Nothing here knows what a setting means.
#ifndef HANDFAST_SERVER_CONFIG_DOCUMENT_H_
#define HANDFAST_SERVER_CONFIG_DOCUMENT_H_

#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "server/config/mistakes.h"

namespace handfast::config {

// A configuration of a thousand principals is 100 KiB.
inline constexpr size_t kMaxDocumentSize = size_t{4} << 20;

// Reads `text` into `message`, which is empty, and notes the place of each setting. What is wrong
// goes to `mistakes`, and is left out of the message.
void ReadDocument(std::string_view text, const std::string& source,
                  google::protobuf::Message& message, Places& places, Mistakes& mistakes);

// Sets a singular number, flag, text or enumeration from its text; nonempty: what is wrong with it,
// as a predicate ("must be ...").
std::string SetScalar(google::protobuf::Message& message,
                      const google::protobuf::FieldDescriptor& field, std::string_view text);

// Every set field as a document that ReadDocument reads back to the same message.
std::string WriteDocument(const google::protobuf::Message& message);

// The words of an enumeration: "modern", "intermediate"; the unspecified value has none.
std::vector<std::string> WordsOf(const google::protobuf::EnumDescriptor& type);

}  // namespace handfast::config

#endif  // HANDFAST_SERVER_CONFIG_DOCUMENT_H_
