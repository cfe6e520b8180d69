#include "client/edge/router.h"

#include <algorithm>

namespace handfast::edge {
namespace {

// RFC 1035 §2.3.4, in text.
constexpr size_t kMaxName = 253;

bool IsDnsName(std::string_view name) {
  if (name.empty() || name.size() > kMaxName || name.front() == '.' || name.back() == '.') {
    return false;
  }
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::optional<std::string> Router::Add(std::string_view name, std::string_view backend) {
  const std::optional<Address> address = ParseAddress(backend);
  if (!address) {
    return "the backend \"" + std::string(backend) + "\" is neither HOST:PORT nor unix:PATH";
  }
  if (name.empty()) {
    default_ = *address;
    return std::nullopt;
  }
  std::string lower = Lower(name);
  const bool is_wildcard = lower.rfind("*.", 0) == 0;
  if (is_wildcard) lower.erase(0, 2);
  if (!IsDnsName(lower)) {
    return "the route's name \"" + std::string(name) + "\" is no DNS name; use NAME or *.NAME";
  }
  Routes& routes = is_wildcard ? wildcard_ : exact_;
  if (!routes.emplace(lower, *address).second) {
    return "the route \"" + std::string(name) + "\" is there twice";
  }
  return std::nullopt;
}

const Address* Router::Find(std::string_view server_name) const {
  const std::string name = Lower(server_name);
  if (const auto found = exact_.find(name); found != exact_.end()) return &found->second;
  if (const size_t dot = name.find('.'); dot != std::string::npos) {
    const auto found = wildcard_.find(name.substr(dot + 1));
    if (found != wildcard_.end()) return &found->second;
  }
  return default_ ? &*default_ : nullptr;
}

}  // namespace handfast::edge
