#include "server/rpc/completion_loop.h"

#include <utility>

#include <grpc/support/time.h>

#include "server/rpc/completion.h"

namespace handfast::rpc {
namespace {

// Messages read in a row before any is worked on: enough to see every tenant that is waiting, few
// enough that the first does not wait for long.
constexpr int kMaxReadAhead = 64;

// Pieces of work between two looks at the network, each of which costs a system call: half a
// millisecond.
constexpr int kWorkInARow = 4;

// The last task that this thread read and has not passed on.
thread_local std::shared_ptr<Task> task_in_hand;

}  // namespace

CompletionLoop::CompletionLoop(grpc::ServerBuilder& builder, int threads, access::WorkQueue& work)
    : work_(work) {
  for (int i = 0; i < threads; ++i) queues_.push_back(builder.AddCompletionQueue());
}

CompletionLoop::~CompletionLoop() {
  for (auto& queue : queues_) queue->Shutdown();
  for (std::thread& thread : threads_) thread.join();
  // Where Start was never called nobody has emptied them, as gRPC demands.
  void* tag = nullptr;
  bool ok = false;
  for (auto& queue : queues_) {
    while (queue->Next(&tag, &ok)) static_cast<Completion*>(tag)->OnCompleted(ok);
  }
}

void CompletionLoop::Start(const std::function<void(grpc::ServerCompletionQueue&)>& prepare) {
  for (auto& queue : queues_) prepare(*queue);
  for (auto& queue : queues_) threads_.emplace_back([this, &queue] { Poll(*queue); });
}

void CompletionLoop::Do(std::shared_ptr<Task> task) {
  if (task_in_hand) Submit(std::exchange(task_in_hand, nullptr));
  task_in_hand = std::move(task);
}

void CompletionLoop::Poll(grpc::ServerCompletionQueue& queue) {
  while (PollOnce(queue)) {
    for (int done = 0; done < kWorkInARow && Work(); ++done) {
    }
  }
  if (task_in_hand) std::exchange(task_in_hand, nullptr)->Run();
}

// Reads what is ready; waits only where there is nothing to work on. False: shut down.
bool CompletionLoop::PollOnce(grpc::ServerCompletionQueue& queue) {
  for (int read = 0; read < kMaxReadAhead; ++read) {
    const bool idle = !task_in_hand && work_.waiting(access::Lane::kGeneral) == 0;
    const gpr_timespec until =
        idle ? gpr_inf_future(GPR_CLOCK_MONOTONIC) : gpr_time_0(GPR_CLOCK_MONOTONIC);
    void* tag = nullptr;
    bool ok = false;
    switch (queue.AsyncNext(&tag, &ok, until)) {
      case grpc::CompletionQueue::SHUTDOWN:
        return false;
      case grpc::CompletionQueue::TIMEOUT:
        return true;
      case grpc::CompletionQueue::GOT_EVENT:
        static_cast<Completion*>(tag)->OnCompleted(ok);
    }
  }
  return true;
}

bool CompletionLoop::Work() {
  if (task_in_hand && work_.waiting(access::Lane::kGeneral) == 0) {
    std::exchange(task_in_hand, nullptr)->Run();
    return true;
  }
  if (task_in_hand) Submit(std::exchange(task_in_hand, nullptr));
  return work_.RunOne(access::Lane::kGeneral);
}

void CompletionLoop::Submit(const std::shared_ptr<Task>& task) {
  absl::Status queued =
      work_.Submit(task->tenant(), access::Lane::kGeneral, [task] { task->Run(); });
  if (!queued.ok()) task->Refuse(std::move(queued));
}

}  // namespace handfast::rpc
