// Which backend a connection goes to, by the name that the client asked for (SNI).
#ifndef HANDFAST_CLIENT_EDGE_ROUTER_H_
#define HANDFAST_CLIENT_EDGE_ROUTER_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "client/edge/address.h"

namespace handfast::edge {

class Router {
 public:
  // `name` is a DNS name, "*.example.com" (one label in place of the star), or "" for the default.
  // What is wrong, or nullopt.
  std::optional<std::string> Add(std::string_view name, std::string_view backend);

  // Exact, then wildcard, then default; null where there is none of them.
  const Address* Find(std::string_view server_name) const;

  bool empty() const { return exact_.empty() && wildcard_.empty() && !default_; }

 private:
  using Routes = std::map<std::string, Address, std::less<>>;
  Routes exact_;
  Routes wildcard_;  // by what follows "*."
  std::optional<Address> default_;
};

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_ROUTER_H_
