// The threads that poll gRPC, and what they do between two polls.
//
// A message that begins or continues a handshake is a Task. While nothing else is ready, the thread
// that read it runs it at once: a hop to another thread would cost as much as the message. As soon
// as there is more, everything goes through the work queue, where tenants take turns, and is run by
// its threads and by these.
#ifndef HANDFAST_SERVER_RPC_COMPLETION_LOOP_H_
#define HANDFAST_SERVER_RPC_COMPLETION_LOOP_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include <grpcpp/grpcpp.h>

#include "server/access/work_queue.h"

namespace handfast::rpc {

class Task {
 public:
  virtual ~Task() = default;
  virtual const std::string& tenant() const = 0;
  virtual void Run() = 0;
  // In place of Run, where the queue is full.
  virtual void Refuse(absl::Status status) = 0;
};

class CompletionLoop {
 public:
  // Adds `threads` completion queues to the server that `builder` will build.
  CompletionLoop(grpc::ServerBuilder& builder, int threads, access::WorkQueue& work);
  // After the server has been shut down.
  ~CompletionLoop();
  CompletionLoop(const CompletionLoop&) = delete;
  CompletionLoop& operator=(const CompletionLoop&) = delete;

  // Calls `prepare` for each queue, so that services ask for their first calls, then polls.
  void Start(const std::function<void(grpc::ServerCompletionQueue&)>& prepare);

  // Runs `task` on this thread or another, soon. To be called from a Completion.
  void Do(std::shared_ptr<Task> task);

 private:
  void Poll(grpc::ServerCompletionQueue& queue);
  bool PollOnce(grpc::ServerCompletionQueue& queue);
  void Submit(const std::shared_ptr<Task>& task);
  // False where nothing waits.
  bool Work();

  access::WorkQueue& work_;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::vector<std::thread> threads_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_COMPLETION_LOOP_H_
