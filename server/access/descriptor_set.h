// The methods in a FileDescriptorSet, read from its wire form. Six fields of a format that is
// frozen (google/protobuf/descriptor.proto) are all it takes, and access stays without protobuf.
#ifndef HANDFAST_SERVER_ACCESS_DESCRIPTOR_SET_H_
#define HANDFAST_SERVER_ACCESS_DESCRIPTOR_SET_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handfast::access {

// Full names, "/package.Service/Method", in the order of the files. Nullopt where the bytes are no
// FileDescriptorSet.
std::optional<std::vector<std::string>> MethodsOf(std::string_view file_descriptor_set);

}  // namespace handfast::access

#endif  // HANDFAST_SERVER_ACCESS_DESCRIPTOR_SET_H_
