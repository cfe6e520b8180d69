// The contract as lines of text, one for each thing that a client may have been built on.
#ifndef HANDFAST_TESTS_PROTO_CONTRACT_TEXT_H_
#define HANDFAST_TESTS_PROTO_CONTRACT_TEXT_H_

#include <string>
#include <vector>

#include <google/protobuf/descriptor.pb.h>

namespace handfast::test {

// The files of handfast/v1, sorted: "field handfast.v1.StepRequest.step = 2 uint32".
std::string ContractText(const google::protobuf::FileDescriptorSet& files);

// The lines of `stored` that are in `current` no longer. What is there besides breaks nobody.
std::vector<std::string> Broken(const std::string& stored, const std::string& current);

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_PROTO_CONTRACT_TEXT_H_
