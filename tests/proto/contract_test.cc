// The contract is what it was, and more: who was built on it can still talk to the service. What it
// was stands in tests/testdata/contract.txt; `-- --rewrite` takes additions in.
#include <fstream>
#include <functional>
#include <iostream>

#include <gtest/gtest.h>

#include "tests/proto/contract_text.h"
#include "tests/testdata/golden.h"

namespace handfast::test {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

constexpr char kGolden[] = "contract.txt";

FileDescriptorSet Current() {
  std::ifstream in("proto/handfast/v1/descriptor.binpb", std::ios::binary);
  FileDescriptorSet files;
  if (!files.ParseFromIstream(&in) || files.file_size() == 0) {
    ADD_FAILURE() << "no descriptor";
  }
  return files;
}

TEST(Contract, BreaksNobody) {
  const std::string current = ContractText(Current());
  const std::optional<std::string> stored = ReadGolden(kGolden);
  if (RewriteWanted()) return ExpectGolden(kGolden, current);
  ASSERT_TRUE(stored) << "run with --rewrite to make it";
  for (const std::string& line : Broken(*stored, current)) {
    ADD_FAILURE() << "clients were built on: " << line;
  }
  for (const std::string& line : Broken(current, *stored)) {
    std::cout << "new, and not guarded until it is taken in: " << line << "\n";
  }
}

TEST(Contract, HoldsTheServicesAndNotTheConfiguration) {
  const std::string text = ContractText(Current());
  for (const char* line :
       {"service handfast.v1.HandshakeService\n", "service handfast.v1.ConnectionService\n",
        "service handfast.v1.KeyService\n", "service handfast.v1.RecordService\n",
        "rpc handfast.v1.HandshakeService.Relay (stream handfast.v1.RelayRequest) returns "
        "(stream handfast.v1.RelayResponse)\n",
        "rpc handfast.v1.HandshakeService.Finished (handfast.v1.StepRequest) returns "
        "(handfast.v1.StepResponse)\n",
        "field handfast.v1.StepRequest.step = 2 uint32\n",
        "field handfast.v1.Failure.alert = 2 optional uint32\n",
        "field handfast.v1.StepResponse.failure = 8 oneof outcome handfast.v1.Failure\n",
        "field handfast.v1.StepResponse.next = 5 repeated handfast.v1.Next\n",
        "value handfast.v1.Failure.Origin.DEADLINE = 4\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(text.find("google"), text.find("google.rpc.Status")) << "nothing of others'";
  EXPECT_EQ(text.find("Admin"), std::string::npos) << "config.proto is no part of it";
}

// ---- The controls: each kind of change, to each thing that there is.

// Calls `visit` with every message, nested ones too.
void ForEachMessage(FileDescriptorSet& files, const std::function<void(DescriptorProto&)>& visit) {
  const std::function<void(DescriptorProto&)> walk = [&](DescriptorProto& message) {
    visit(message);
    for (auto& nested : *message.mutable_nested_type()) walk(nested);
  };
  for (auto& file : *files.mutable_file()) {
    if (!file.name().starts_with("handfast/v1/")) continue;
    for (auto& message : *file.mutable_message_type()) walk(message);
  }
}

// How many lines are broken when `change` is done to the field with this index among all; nullopt:
// there are fewer fields.
std::optional<size_t> BrokenBy(
    size_t index, const std::function<void(DescriptorProto&, FieldDescriptorProto&, int)>& change) {
  static const FileDescriptorSet original = Current();
  FileDescriptorSet files = original;
  size_t at = 0;
  bool changed = false;
  ForEachMessage(files, [&](DescriptorProto& message) {
    const int count = message.field_size();
    for (int i = 0; i < count && !changed; ++i) {
      if (at++ != index) continue;
      change(message, *message.mutable_field(i), i);
      changed = true;
    }
  });
  if (!changed) return std::nullopt;
  return Broken(ContractText(original), ContractText(files)).size();
}

void ExpectEachBreaks(
    const std::function<void(DescriptorProto&, FieldDescriptorProto&, int)>& change) {
  size_t index = 0;
  for (; const auto broken = BrokenBy(index, change); ++index) EXPECT_EQ(*broken, 1u) << index;
  EXPECT_GT(index, 100u) << "every field had its turn";
}

TEST(ContractControl, AFieldThatIsGone) {
  ExpectEachBreaks([](DescriptorProto& message, FieldDescriptorProto&, int index) {
    message.mutable_field()->DeleteSubrange(index, 1);
  });
}

TEST(ContractControl, AFieldThatIsRenumbered) {
  ExpectEachBreaks(
      [](DescriptorProto&, FieldDescriptorProto& field, int) { field.set_number(1000); });
}

TEST(ContractControl, AFieldThatIsRetyped) {
  ExpectEachBreaks([](DescriptorProto&, FieldDescriptorProto& field, int) {
    field.clear_type_name();
    field.set_type(field.type() == FieldDescriptorProto::TYPE_SINT64
                       ? FieldDescriptorProto::TYPE_BYTES
                       : FieldDescriptorProto::TYPE_SINT64);
  });
}

TEST(ContractControl, AFieldThatIsRenamed) {
  ExpectEachBreaks(
      [](DescriptorProto&, FieldDescriptorProto& field, int) { field.set_name("other"); });
}

TEST(ContractControl, AFieldThatIsRepeatedOrNoLonger) {
  ExpectEachBreaks([](DescriptorProto&, FieldDescriptorProto& field, int) {
    const bool repeated = field.label() == FieldDescriptorProto::LABEL_REPEATED;
    field.set_label(repeated ? FieldDescriptorProto::LABEL_OPTIONAL
                             : FieldDescriptorProto::LABEL_REPEATED);
  });
}

TEST(ContractControl, AFieldThatMovesIntoAOneofOrOut) {
  ExpectEachBreaks([](DescriptorProto& message, FieldDescriptorProto& field, int) {
    if (field.proto3_optional()) return field.set_proto3_optional(false);
    if (field.has_oneof_index()) return field.clear_oneof_index();
    field.set_oneof_index(message.oneof_decl_size());
    message.add_oneof_decl()->set_name("new");
  });
}

// Of the whole: how many lines a change breaks.
size_t BrokenBy(const std::function<void(FileDescriptorProto&)>& change) {
  const FileDescriptorSet original = Current();
  FileDescriptorSet files = original;
  for (auto& file : *files.mutable_file()) {
    if (file.name() == "handfast/v1/handshake.proto") change(file);
  }
  return Broken(ContractText(original), ContractText(files)).size();
}

TEST(ContractControl, AnEnumsValues) {
  const auto values = [](FileDescriptorProto& file) {
    return file.mutable_enum_type(0)->mutable_value();
  };
  EXPECT_EQ(BrokenBy([&](auto& file) { values(file)->RemoveLast(); }), 1u);
  EXPECT_EQ(BrokenBy([&](auto& file) { values(file)->Mutable(1)->set_number(9); }), 1u);
  EXPECT_EQ(BrokenBy([&](auto& file) { values(file)->Mutable(1)->set_name("NEW"); }), 1u);
  EXPECT_GT(BrokenBy([&](auto& file) { file.mutable_enum_type()->RemoveLast(); }), 10u)
      << "the enum and all its values";
}

TEST(ContractControl, ARpc) {
  const auto rpc = [](FileDescriptorProto& file, int index) {
    return file.mutable_service(0)->mutable_method(index);
  };
  const int count = [] {
    int methods = 0;
    BrokenBy([&](auto& file) { methods = file.service(0).method_size(); });
    return methods;
  }();
  ASSERT_GE(count, 18);
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(BrokenBy([&](auto& file) {
                file.mutable_service(0)->mutable_method()->DeleteSubrange(i, 1);
              }),
              1u);
    EXPECT_EQ(BrokenBy([&](auto& file) {
                rpc(file, i)->set_client_streaming(!rpc(file, i)->client_streaming());
              }),
              1u);
    EXPECT_EQ(BrokenBy([&](auto& file) {
                rpc(file, i)->set_server_streaming(!rpc(file, i)->server_streaming());
              }),
              1u);
    EXPECT_EQ(BrokenBy([&](auto& file) { rpc(file, i)->set_input_type(".handfast.v1.Peer"); }), 1u);
    EXPECT_EQ(BrokenBy([&](auto& file) { rpc(file, i)->set_output_type(".handfast.v1.Peer"); }),
              1u);
    EXPECT_EQ(BrokenBy([&](auto& file) { rpc(file, i)->set_name("New"); }), 1u);
  }
  EXPECT_GE(BrokenBy([](auto& file) { file.mutable_service()->RemoveLast(); }), 19u);
}

TEST(ContractControl, AMessageOrThePackage) {
  EXPECT_GE(BrokenBy([](auto& file) { file.mutable_message_type()->RemoveLast(); }), 1u);
  EXPECT_GT(BrokenBy([](auto& file) { file.set_package("handfast.v2"); }), 100u);
}

TEST(ContractControl, AdditionsBreakNobody) {
  EXPECT_EQ(BrokenBy([](FileDescriptorProto& file) {
              for (DescriptorProto& message : *file.mutable_message_type()) {
                FieldDescriptorProto& field = *message.add_field();
                field.set_name("new");
                field.set_number(1000);
                field.set_type(FieldDescriptorProto::TYPE_STRING);
              }
              file.add_message_type()->set_name("New");
              for (auto& values : *file.mutable_enum_type()) {
                values.add_value()->set_name("NEW");
                values.mutable_value(values.value_size() - 1)->set_number(1000);
              }
              auto& rpc = *file.mutable_service(0)->add_method();
              rpc.set_name("New");
              rpc.set_input_type(".handfast.v1.New");
              rpc.set_output_type(".handfast.v1.New");
              file.add_service()->set_name("NewService");
            }),
            0u);
}

}  // namespace
}  // namespace handfast::test
