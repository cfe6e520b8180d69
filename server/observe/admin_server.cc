#include "server/observe/admin_server.h"

#include <array>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include <civetweb.h>

#include "server/observe/log.h"

namespace handfast::observe {
namespace {

// A scraper, a liveness and a readiness probe, and one to spare.
constexpr const char* kThreads = "4";
// A request is a line and a few headers; nothing here reads a body.
constexpr const char* kMaxRequestBytes = "8192";
constexpr const char* kRequestTimeoutMs = "5000";

struct Page {
  int code = 404;
  std::string_view words = "Not Found";
  std::string_view type = "text/plain; charset=utf-8";
  std::string body = "not found\n";
};

Page FromStatus(const absl::Status& status) {
  if (status.ok()) return {.code = 200, .words = "OK", .body = "ok\n"};
  return {
      .code = 503, .words = "Service Unavailable", .body = absl::StrCat(status.message(), "\n")};
}

void Send(mg_connection* connection, const Page& page, bool with_body) {
  std::string reply = absl::StrCat(
      "HTTP/1.1 ", page.code, " ", absl::string_view(page.words.data(), page.words.size()),
      "\r\nContent-Type: ", absl::string_view(page.type.data(), page.type.size()),
      "\r\nContent-Length: ", page.body.size(),
      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n");
  if (page.code == 405) reply += "Allow: GET, HEAD\r\n";
  reply += "\r\n";
  if (with_body) reply += page.body;
  mg_write(connection, reply.data(), reply.size());
}

// "127.0.0.1:9464", "[::1]:9464"
std::string Address(const AdminOptions& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return absl::StrCat(v6 ? "[" : "", options.host, v6 ? "]:" : ":", options.port);
}

int LogFromLibrary(const mg_connection*, const char* message) {
  Log(Level::kDebug, "observe", "admin port", {{"detail", message}});
  return 1;  // written: the library adds nothing
}

}  // namespace

struct AdminServer::State {
  AdminPages pages;
  mg_context* context = nullptr;
  uint16_t port = 0;

  ~State() {
    if (context != nullptr) mg_stop(context);
  }

  Page Make(std::string_view path) const {
    if (path == "/metrics" && pages.metrics) {
      return {.code = 200,
              .words = "OK",
              .type = "text/plain; version=0.0.4; charset=utf-8",
              .body = pages.metrics()};
    }
    if (path == "/livez" && pages.live) return FromStatus(pages.live());
    if (path == "/readyz" && pages.ready) return FromStatus(pages.ready());
    return {};
  }

  static int Answer(mg_connection* connection) {
    const mg_request_info* request = mg_get_request_info(connection);
    const auto* state = static_cast<const State*>(request->user_data);
    const std::string_view method = request->request_method;
    if (method != "GET" && method != "HEAD") {
      Send(connection, {.code = 405, .words = "Method Not Allowed", .body = "read only\n"}, true);
      return 405;
    }
    const char* path = request->local_uri == nullptr ? "" : request->local_uri;
    const Page page = state->Make(path);
    Send(connection, page, method == "GET");
    return page.code;
  }
};

AdminServer::AdminServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
AdminServer::~AdminServer() = default;

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const AdminOptions& options,
                                                                AdminPages pages) {
  auto state = std::make_unique<State>();
  state->pages = std::move(pages);
  const std::string address = Address(options);
  // Without a document root the library serves no file.
  const std::array<const char*, 15> settings = {"listening_ports",
                                                address.c_str(),
                                                "num_threads",
                                                kThreads,
                                                "max_request_size",
                                                kMaxRequestBytes,
                                                "request_timeout_ms",
                                                kRequestTimeoutMs,
                                                "enable_keep_alive",
                                                "no",
                                                "enable_directory_listing",
                                                "no",
                                                "decode_url",
                                                "no",
                                                nullptr};
  mg_callbacks callbacks{};
  callbacks.begin_request = &State::Answer;
  callbacks.log_message = &LogFromLibrary;
  state->context = mg_start(&callbacks, state.get(), const_cast<const char**>(settings.data()));
  if (state->context == nullptr) {
    return absl::UnavailableError(absl::StrCat("the admin port cannot be opened on ", address));
  }
  mg_server_port bound{};
  if (mg_get_server_ports(state->context, 1, &bound) == 1) {
    state->port = static_cast<uint16_t>(bound.port);
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(state)));
}

uint16_t AdminServer::port() const { return state_->port; }

}  // namespace handfast::observe
