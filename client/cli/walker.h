// One handshake by step RPCs over one socket: each message is drawn, or printed as JSON, as the RPC
// that made it answers.
#ifndef HANDFAST_CLIENT_CLI_WALKER_H_
#define HANDFAST_CLIENT_CLI_WALKER_H_

#include <string>

#include "client/cli/command.h"
#include "client/core/record_layer.h"
#include "client/core/step_order.h"
#include "client/core/steps.h"
#include "handfast/v1/handshake.pb.h"
#include "tls/base/bytes.h"

namespace handfast::cli {

struct WalkOptions {
  // Role, profile and the rest of the handshake.
  v1::Start start;
  // ROLE_CLIENT: ask for "/" afterwards. ROLE_SERVER answers a small page wherever it has keys.
  bool http = false;
};

class Walker {
 public:
  // `fd` stays the caller's. Where the handshake fails, or the service refuses it, `common` has the
  // exit code.
  Walker(client::Steps& steps, const WalkOptions& options, int fd, Common& common)
      : steps_(steps), options_(options), fd_(fd), common_(common) {}

  // False: the service would not begin a handshake, and would not begin another.
  bool Walk(const std::string& peer_address);

 private:
  bool Begin(const std::string& peer_address);
  // False: there is nothing more to do.
  bool TakeStep();
  void BringBytes();
  void OnReply(client::StepReply reply, v1::Step step);
  void OnEstablished(const v1::Established& established, client::ReleasedKeys keys,
                     const std::string& rest);
  void UseRecords(client::RecordLayer& records, const v1::Established& established,
                  tls::Bytes rest);
  void OnRefused(const client::RpcStatus& status);
  void Show(const std::string& rpc, const google::protobuf::Message& response) const;
  // Words of our own, where there is no reply that says it.
  void Fail(const std::string& words);

  bool is_client() const { return options_.start.role() == v1::ROLE_CLIENT; }
  bool draws() const { return common_.output == Output::kTable; }

  client::Steps& steps_;
  const WalkOptions& options_;
  const int fd_;
  Common& common_;
  client::StepOrder order_;
  // The next step's; it has what the peer sent, or that it ended.
  v1::StepRequest request_;
  bool has_input_ = false;
};

}  // namespace handfast::cli

#endif  // HANDFAST_CLIENT_CLI_WALKER_H_
