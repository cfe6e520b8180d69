// The edge's own admin port: /metrics, /livez, /readyz, over plain HTTP; for the pod or loopback.
#ifndef HANDFAST_CLIENT_EDGE_ADMIN_H_
#define HANDFAST_CLIENT_EDGE_ADMIN_H_

#include <functional>
#include <memory>
#include <string>

#include "client/edge/metrics.h"

struct mg_context;
struct mg_connection;

namespace handfast::edge {

class Admin {
 public:
  // `ready` answers /readyz, from any thread. Null where `address` cannot be listened on.
  static std::unique_ptr<Admin> Start(const std::string& address, const Metrics& metrics,
                                      std::function<bool()> ready);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // Where it listens, with the port that the system chose for port 0.
  std::string address() const;

 private:
  Admin(std::string host, const Metrics& metrics, std::function<bool()> ready);
  static int Answer(mg_connection* connection, void* self);

  const std::string host_;
  const Metrics& metrics_;
  const std::function<bool()> ready_;
  mg_context* server_ = nullptr;
};

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_ADMIN_H_
