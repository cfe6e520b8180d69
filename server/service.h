// The service, wired: from a configuration to something that serves, and back down again.
#ifndef HANDFAST_SERVER_SERVICE_H_
#define HANDFAST_SERVER_SERVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "server/config/config.h"

namespace handfast {

inline constexpr char kVersion[] = "0.1.0";

class Service {
 public:
  // Ready to serve when it returns. The status says what is wrong and where.
  static absl::StatusOr<std::unique_ptr<Service>> Start(const config::Config& config);
  ~Service();

  // Where callers come in, with the ports as bound.
  std::vector<std::string> addresses() const;
  // "127.0.0.1:9464"; empty where it is switched off.
  std::string admin_address() const;

  // Readiness off, callers sent elsewhere, live handshakes finished or, when the configured time is
  // over, cut off.
  void Drain();

 private:
  struct State;
  explicit Service(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace handfast

#endif  // HANDFAST_SERVER_SERVICE_H_
