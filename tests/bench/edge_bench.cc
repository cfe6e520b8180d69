// P6 and P7 of the goals: what a TLS 1.3 connection costs the edge alone, and edge and service
// together, beside nginx's `stream` module that holds the key itself. Each connection is a
// handshake, one small HTTP exchange with the same plain backend, and a clean end. Full ones have
// no tickets on either side; where all are resumed, both sides send them. CPU time of the
// processes, clients and backend not counted.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <openssl/ssl.h>

#include "tests/bench/child.h"
#include "tests/bench/require.h"
#include "tests/bench/service.h"
#include "tests/bench/stopwatch.h"

namespace handfast::bench {
namespace {

constexpr char kRequest[] = "GET / HTTP/1.0\r\n\r\n";
constexpr int kClients = 16;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Answers every connection with the same kilobyte once a request has come, and closes.
class Backend {
 public:
  Backend() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    Require(bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd_, 1024) == 0,
            "the backend listens");
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (int i = 0; i < kClients; ++i) threads_.emplace_back([this] { Serve(); });
  }
  ~Backend() {
    shutdown(fd_, SHUT_RDWR);
    for (std::thread& thread : threads_) thread.join();
    close(fd_);
  }
  int port() const { return port_; }

 private:
  void Serve() {
    const std::string reply =
        "HTTP/1.0 200 OK\r\nContent-Length: 1024\r\n\r\n" + std::string(1024, 'x');
    for (int client; (client = accept(fd_, nullptr, nullptr)) >= 0; close(client)) {
      char request[sizeof(kRequest)];
      if (read(client, request, sizeof(request)) <= 0) continue;
      if (write(client, reply.data(), reply.size()) < 0) continue;
      shutdown(client, SHUT_WR);
      while (read(client, request, sizeof(request)) > 0) {
      }
    }
  }

  const int fd_;
  int port_ = 0;
  std::vector<std::thread> threads_;
};

// Clients of one server, a thread each. Where they resume, each does with the last ticket that it
// got.
class Clients {
 public:
  Clients(int port, bool resume) : port_(port), resume_(resume), context_(Context()) {}
  ~Clients() {
    for (SSL_SESSION* session : sessions_) SSL_SESSION_free(session);
    SSL_CTX_free(context_);
  }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // So many connections, none of them lost.
  void Load(int count) {
    std::atomic<int> left{count};
    std::atomic<int> lost{0};
    std::vector<std::thread> threads;
    threads.reserve(sessions_.size());
    for (SSL_SESSION*& session : sessions_) {
      threads.emplace_back([&] {
        while (left.fetch_sub(1) > 0) {
          if (!Connect(session)) ++lost;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    Require(lost == 0, "no connection is lost, and those that can are resumed");
  }

 private:
  static SSL_CTX* Context() {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set1_groups_list(context, "X25519:P-256");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, Keep);
    return context;
  }
  static int Keep(SSL* ssl, SSL_SESSION* session) {
    auto*& kept = *static_cast<SSL_SESSION**>(SSL_get_app_data(ssl));
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
  }

  // True where the whole reply came, and a close_notify behind it.
  bool Connect(SSL_SESSION*& session) const {
    const sockaddr_in address = Loopback(port_);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_host_name(ssl, "example.test");
    SSL_set_app_data(ssl, &session);
    const bool resumes = resume_ && session != nullptr;
    if (resumes) SSL_set_session(ssl, session);
    bool good = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                SSL_connect(ssl) == 1 && SSL_session_reused(ssl) == (resumes ? 1 : 0) &&
                SSL_write(ssl, kRequest, sizeof(kRequest) - 1) > 0;
    size_t received = 0;
    char chunk[4096];
    int n = 0;
    while (good && (n = SSL_read(ssl, chunk, sizeof(chunk))) > 0) {
      received += static_cast<size_t>(n);
    }
    good = good && received > 1024 && SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
    return good;
  }

  const int port_;
  const bool resume_;
  SSL_CTX* const context_;
  std::array<SSL_SESSION*, kClients> sessions_{};
};

std::string NginxConfiguration(const std::string& folder, int port, int backend, bool tickets) {
  return "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off;\npid " + folder +
         "/nginx.pid;\nerror_log stderr;\nworker_processes 1;\nevents { worker_connections 4096; "
         "}\n"
         "stream {\n  server {\n    listen 127.0.0.1:" +
         std::to_string(port) + " ssl;\n    ssl_certificate " + folder +
         "/chain.pem;\n    ssl_certificate_key " + folder +
         "/key.pem;\n    ssl_protocols TLSv1.3;\n    ssl_session_cache off;\n    "
         "ssl_session_tickets " +
         (tickets ? "on" : "off") + ";\n    proxy_pass 127.0.0.1:" + std::to_string(backend) +
         ";\n  }\n}\n";
}

void Measure(const std::string& programs, bool resumed, int rounds) {
  const auto root = tls::test::TestCa::Create("root");
  const auto leaf = root.Issue({.dns = {"example.test"}});
  const Folder folder;
  const Backend backend;
  const Service service(
      programs, folder.path(), leaf,
      std::string("profiles: [{name: intermediate, base: intermediate, release_keys: true, ") +
          "session_tickets: " + (resumed ? "2" : "0") + "}]\n");
  const int edge_port = FreePort();
  const Child edge({programs + "/client/edge/handfast-edge", "--listen",
                    "127.0.0.1:" + std::to_string(edge_port), "--backend",
                    "127.0.0.1:" + std::to_string(backend.port()), "--log-level", "error",
                    "--workers", "1"},  // as many as nginx has
                   folder.path() + "/edge.log");
  const int nginx_port = FreePort();
  const std::string configuration = folder.Write(
      "nginx.conf", NginxConfiguration(folder.path(), nginx_port, backend.port(), resumed));
  const Child nginx({"/usr/sbin/nginx", "-p", folder.path(), "-e", "stderr", "-c", configuration},
                    folder.path() + "/nginx.log");
  AwaitPort(edge_port);
  AwaitPort(nginx_port);
  constexpr int kBatch = 600;
  Clients of_edge(edge_port, resumed);
  Clients of_nginx(nginx_port, resumed);
  of_edge.Load(kBatch);
  of_nginx.Load(kBatch);

  std::vector<double> edges, services, peers, alone, together;
  for (int round = 0; round < rounds; ++round) {
    const double edge_before = edge.CpuMicros();
    const double service_before = service.CpuMicros();
    of_edge.Load(kBatch);
    edges.push_back((edge.CpuMicros() - edge_before) / kBatch);
    services.push_back((service.CpuMicros() - service_before) / kBatch);
    const double nginx_before = nginx.CpuMicros();
    of_nginx.Load(kBatch);
    peers.push_back((nginx.CpuMicros() - nginx_before) / kBatch);
    alone.push_back(edges.back() / peers.back());
    together.push_back((edges.back() + services.back()) / peers.back());
  }
  const char* kind = resumed ? "resumed" : "full";
  std::printf(
      "| P6 edge alone, TLS 1.3 %s ECDSA and one exchange, CPU us | %.0f | nginx stream with the "
      "key %.0f | %.2f | <= 0.3 |\n",
      kind, Median(edges), Median(peers), Median(alone));
  std::printf(
      "| P7 edge and service (%.0f) together, %s | %.0f | the same %.0f | %.2f | <= 0.7 |\n",
      Median(services), kind, Median(edges) + Median(services), Median(peers), Median(together));
}

}  // namespace
}  // namespace handfast::bench

int main(int argc, char** argv) {
  handfast::bench::Require(argc >= 2, "the first argument is the folder of the programs");
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 7;
  std::printf("| measure | ours | peer | ratio | goal |\n|---|---|---|---|---|\n");
  handfast::bench::Measure(argv[1], false, rounds);
  handfast::bench::Measure(argv[1], true, rounds);
}
