#include "tls/connection/connection.h"

#include <utility>

#include "tls/connection/run.h"
#include "tls/connection/state.h"
#include "tls/engine/engine.h"

namespace handfast::tls {

Connection::Connection(std::unique_ptr<ConnectionState> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Connection Connection::Server(ConnectionOptions options) {
  auto state = std::make_unique<ConnectionState>();
  state->engine = WaitClientHello{std::move(options.alpn)};
  state->trace = options.trace;
  return Connection(std::move(state));
}

Connection Connection::Client(ConnectionOptions options) {
  auto state = std::make_unique<ConnectionState>();
  state->engine = client::Start{{std::move(options.server_name), std::move(options.alpn)}};
  state->trace = options.trace;
  return Connection(std::move(state));
}

std::string_view Connection::state_name() const { return StateName(state_->engine); }
uint64_t Connection::consumed() const { return state_->consumed; }
bool Connection::established() const { return std::holds_alternative<Connected>(state_->engine); }
bool Connection::failed() const { return std::holds_alternative<Failed>(state_->engine); }
const std::optional<Question>& Connection::question() const { return state_->question; }

Stepped Step(Connection spent, const Input& input, const Context& context) {
  Stepped stepped{std::move(spent), {}};
  Run(ConnectionAccess::Of(stepped.connection), context, stepped.output).On(input);
  return stepped;
}

Result<ReleasedKeys> ReleaseKeys(Connection spent) {
  ConnectionState& state = ConnectionAccess::Of(spent);
  if (!spent.established() || !state.sealer.encrypted() || !state.opener.encrypted()) {
    return Reason::kInternalError;
  }
  return ReleasedKeys{std::move(*state.sealer.keys()).Release(),
                      std::move(*state.opener.keys()).Release()};
}

}  // namespace handfast::tls
