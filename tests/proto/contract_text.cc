#include "tests/proto/contract_text.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>
#include <string_view>

namespace handfast::test {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::MethodDescriptorProto;
using google::protobuf::ServiceDescriptorProto;

constexpr std::string_view kFolder = "handfast/v1/";

using Lines = std::set<std::string>;

// ".handfast.v1.Next" without its first dot.
std::string Absolute(const std::string& name) {
  return name.starts_with('.') ? name.substr(1) : name;
}

std::string TypeOf(const FieldDescriptorProto& field) {
  if (!field.type_name().empty()) return Absolute(field.type_name());
  std::string name = FieldDescriptorProto::Type_Name(field.type());  // TYPE_UINT32
  name.erase(0, std::string_view("TYPE_").size());
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

std::string LineOf(const DescriptorProto& message, const std::string& name,
                   const FieldDescriptorProto& field) {
  std::ostringstream line;
  line << "field " << name << '.' << field.name() << " = " << field.number() << ' ';
  if (field.label() == FieldDescriptorProto::LABEL_REPEATED) line << "repeated ";
  if (field.proto3_optional()) {
    line << "optional ";
  } else if (field.has_oneof_index()) {
    line << "oneof " << message.oneof_decl(field.oneof_index()).name() << ' ';
  }
  line << TypeOf(field);
  return line.str();
}

void Add(const EnumDescriptorProto& values, const std::string& scope, Lines& lines) {
  const std::string name = scope + '.' + values.name();
  lines.insert("enum " + name);
  for (const auto& value : values.value()) {
    lines.insert("value " + name + '.' + value.name() + " = " + std::to_string(value.number()));
  }
}

void Add(const DescriptorProto& message, const std::string& scope, Lines& lines) {
  const std::string name = scope + '.' + message.name();
  lines.insert("message " + name);
  for (const auto& field : message.field()) lines.insert(LineOf(message, name, field));
  // A number that was given up must not come back with another meaning.
  for (const auto& range : message.reserved_range()) {
    for (int number = range.start(); number < range.end(); ++number) {
      lines.insert("reserved " + name + ' ' + std::to_string(number));
    }
  }
  for (const auto& nested : message.nested_type()) Add(nested, name, lines);
  for (const auto& nested : message.enum_type()) Add(nested, name, lines);
}

void Add(const ServiceDescriptorProto& service, const std::string& scope, Lines& lines) {
  const std::string name = scope + '.' + service.name();
  lines.insert("service " + name);
  for (const MethodDescriptorProto& method : service.method()) {
    std::ostringstream line;
    line << "rpc " << name << '.' << method.name() << " ("
         << (method.client_streaming() ? "stream " : "") << Absolute(method.input_type())
         << ") returns (" << (method.server_streaming() ? "stream " : "")
         << Absolute(method.output_type()) << ')';
    lines.insert(line.str());
  }
}

Lines Split(const std::string& text) {
  std::istringstream in(text);
  Lines lines;
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

}  // namespace

std::string ContractText(const FileDescriptorSet& files) {
  Lines lines;
  for (const auto& file : files.file()) {
    if (!file.name().starts_with(kFolder)) continue;
    for (const auto& message : file.message_type()) Add(message, file.package(), lines);
    for (const auto& values : file.enum_type()) Add(values, file.package(), lines);
    for (const auto& service : file.service()) Add(service, file.package(), lines);
  }
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

std::vector<std::string> Broken(const std::string& stored, const std::string& current) {
  const Lines before = Split(stored);
  const Lines now = Split(current);
  std::vector<std::string> broken;
  std::set_difference(before.begin(), before.end(), now.begin(), now.end(),
                      std::back_inserter(broken));
  return broken;
}

}  // namespace handfast::test
