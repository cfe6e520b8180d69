#include "client/edge/admin.h"

#include <string_view>
#include <utility>

#include <civetweb.h>

namespace handfast::edge {
namespace {

// A scrape and two probes at a time.
constexpr const char* kThreads = "2";
constexpr const char* kRequestTimeoutMs = "5000";

void Send(mg_connection* connection, int code, const std::string& body) {
  mg_printf(connection,
            "HTTP/1.1 %d %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: %zu\r\nConnection: close\r\n\r\n",
            code, mg_get_response_code_text(connection, code), body.size());
  mg_write(connection, body.data(), body.size());
}

}  // namespace

Admin::Admin(std::string host, const Metrics& metrics, std::function<bool()> ready)
    : host_(std::move(host)), metrics_(metrics), ready_(std::move(ready)) {}

std::unique_ptr<Admin> Admin::Start(const std::string& address, const Metrics& metrics,
                                    std::function<bool()> ready) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return nullptr;
  std::unique_ptr<Admin> admin(new Admin(address.substr(0, colon), metrics, std::move(ready)));
  const char* options[] = {"listening_ports",    address.c_str(),   "num_threads", kThreads,
                           "request_timeout_ms", kRequestTimeoutMs, nullptr};
  const mg_callbacks callbacks{};
  admin->server_ = mg_start(&callbacks, nullptr, options);
  if (admin->server_ == nullptr) return nullptr;
  mg_set_request_handler(admin->server_, "/", &Admin::Answer, admin.get());
  return admin;
}

Admin::~Admin() {
  if (server_ != nullptr) mg_stop(server_);
}

std::string Admin::address() const {
  mg_server_port port{};
  if (mg_get_server_ports(server_, 1, &port) != 1) return host_;
  return host_ + ":" + std::to_string(port.port);
}

int Admin::Answer(mg_connection* connection, void* self) {
  const auto& admin = *static_cast<const Admin*>(self);
  const std::string_view path = mg_get_request_info(connection)->local_uri;
  if (path == "/metrics") {
    Send(connection, 200, admin.metrics_.Text());
  } else if (path == "/livez") {
    Send(connection, 200, "ok\n");
  } else if (path == "/readyz") {
    const bool ready = admin.ready_();
    Send(connection, ready ? 200 : 503, ready ? "ok\n" : "the service is away, or draining\n");
  } else {
    Send(connection, 404, "try /metrics, /livez or /readyz\n");
  }
  return 1;
}

}  // namespace handfast::edge
