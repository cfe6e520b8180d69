#include "server/access/descriptor_set.h"

#include <cstdint>

namespace handfast::access {
namespace {

// Field numbers of descriptor.proto.
constexpr uint64_t kFileOfSet = 1;
constexpr uint64_t kPackageOfFile = 2;
constexpr uint64_t kServiceOfFile = 6;
constexpr uint64_t kNameOfService = 1;
constexpr uint64_t kMethodOfService = 2;
constexpr uint64_t kNameOfMethod = 1;

// Walks the fields of one message.
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  // False at the end, and where the bytes break the format: see broken(). `bytes` is the content
  // of a length-delimited field, and empty for others.
  bool Next(uint64_t& number, std::string_view& bytes) {
    uint64_t key = 0;
    if (rest_.empty() || !Varint(key)) return false;
    number = key >> 3;
    bytes = {};
    switch (key & 7) {
      case 0: {
        uint64_t ignored = 0;
        return Varint(ignored);
      }
      case 1:
        return Skip(8);
      case 2: {
        uint64_t size = 0;
        return Varint(size) && Take(size, bytes);
      }
      case 5:
        return Skip(4);
      default:
        broken_ = true;
        return false;
    }
  }
  bool broken() const { return broken_; }

 private:
  bool Varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return true;
    }
    broken_ = true;
    return false;
  }
  bool Take(uint64_t size, std::string_view& bytes) {
    if (size > rest_.size()) {
      broken_ = true;
      return false;
    }
    bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  bool Skip(size_t size) {
    std::string_view ignored;
    return Take(size, ignored);
  }

  std::string_view rest_;
  bool broken_ = false;
};

// Every content of the field `wanted`; false where the message is broken.
bool Collect(std::string_view message, uint64_t wanted, std::vector<std::string_view>& found) {
  Fields fields(message);
  uint64_t number = 0;
  std::string_view bytes;
  while (fields.Next(number, bytes)) {
    if (number == wanted) found.push_back(bytes);
  }
  return !fields.broken();
}

// The only content of a singular field, empty where it is absent.
bool Single(std::string_view message, uint64_t wanted, std::string_view& value) {
  std::vector<std::string_view> found;
  if (!Collect(message, wanted, found)) return false;
  value = found.empty() ? std::string_view() : found.back();
  return true;
}

bool AppendMethods(std::string_view file, std::vector<std::string>& methods) {
  std::string_view package;
  std::vector<std::string_view> services;
  if (!Single(file, kPackageOfFile, package) || !Collect(file, kServiceOfFile, services)) {
    return false;
  }
  for (std::string_view service : services) {
    std::string_view service_name;
    std::vector<std::string_view> found;
    if (!Single(service, kNameOfService, service_name) ||
        !Collect(service, kMethodOfService, found)) {
      return false;
    }
    std::string prefix = "/";
    if (!package.empty()) prefix.append(package).append(".");
    prefix.append(service_name).append("/");
    for (std::string_view method : found) {
      std::string_view name;
      if (!Single(method, kNameOfMethod, name)) return false;
      methods.push_back(prefix + std::string(name));
    }
  }
  return true;
}

}  // namespace

std::optional<std::vector<std::string>> MethodsOf(std::string_view file_descriptor_set) {
  std::vector<std::string_view> files;
  if (!Collect(file_descriptor_set, kFileOfSet, files)) return std::nullopt;
  std::vector<std::string> methods;
  for (std::string_view file : files) {
    if (!AppendMethods(file, methods)) return std::nullopt;
  }
  return methods;
}

}  // namespace handfast::access
