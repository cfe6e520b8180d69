// The thread that turns the wheel of deadlines.
#ifndef HANDFAST_SERVER_HANDSHAKES_REAPER_H_
#define HANDFAST_SERVER_HANDSHAKES_REAPER_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "server/handshakes/handshakes.h"

namespace handfast::handshakes {

class Reaper {
 public:
  // Calls `every_interval` too, where given: others have small things to do now and then.
  explicit Reaper(Handshakes& handshakes, std::function<void()> every_interval = nullptr)
      : thread_([this, &handshakes, every = std::move(every_interval)](std::stop_token stop) {
          std::unique_lock lock(mutex_);
          while (!stopped_.wait_for(lock, stop, kReapInterval,
                                    [&] { return stop.stop_requested(); })) {
            handshakes.Reap();
            if (every) every();
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // last: it stops before what it uses
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_REAPER_H_
