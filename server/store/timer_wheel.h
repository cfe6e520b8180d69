// A timer wheel: setting, cancelling and firing a deadline cost the same however many are set.
// It knows ticks, not clocks, and is not thread-safe.
#ifndef HANDFAST_SERVER_STORE_TIMER_WHEEL_H_
#define HANDFAST_SERVER_STORE_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace handfast::store {

class TimerWheel {
 public:
  // Part of what is timed. It leaves its wheel when it is destroyed.
  struct Timer {
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { Cancel(); }
    void Cancel() {
      if (next == nullptr) return;
      previous->next = next;
      next->previous = previous;
      next = previous = nullptr;
    }
    Timer* next = nullptr;
    Timer* previous = nullptr;
    uint64_t tick = 0;
  };

  explicit TimerWheel(uint64_t now) : now_(now) {
    for (Timer& head : slots_) head.next = head.previous = &head;
  }
  ~TimerWheel() {
    for (Timer& head : slots_) {
      while (head.next != &head) head.next->Cancel();
      head.next = nullptr;
    }
  }
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires at the first Advance to `tick` or later, but not before the next tick.
  void Set(Timer& timer, uint64_t tick) {
    timer.Cancel();
    timer.tick = tick > now_ ? tick : now_ + 1;
    // Farther than one turn: it is looked at once a turn until its tick has come.
    Timer& head = slots_[timer.tick % kSlots];
    timer.next = &head;
    timer.previous = head.previous;
    head.previous->next = &timer;
    head.previous = &timer;
  }

  // Calls `fire(timer)` for each timer due, already cancelled. `fire` may set or cancel any.
  // Returns how much work it was: slots and timers looked at.
  template <class Fire>
  uint64_t Advance(uint64_t now, Fire&& fire) {
    // After a long pause one turn shows every slot.
    uint64_t tick = now > now_ + kSlots ? now - kSlots : now_;
    if (now > now_) now_ = now;
    uint64_t looks = 0;
    while (tick < now) {
      ++looks;
      Timer due;
      TakeSlot(slots_[++tick % kSlots], due);
      while (due.next != &due) {
        ++looks;
        Timer& timer = *due.next;
        const uint64_t when = timer.tick;
        timer.Cancel();
        if (when > now) {
          Set(timer, when);
        } else {
          fire(timer);
        }
      }
      due.next = nullptr;
    }
    return looks;
  }

 private:
  // One turn: 1,024 ticks of 50 ms are 51 s, longer than a handshake's deadline commonly is.
  static constexpr size_t kSlots = 1024;

  static void TakeSlot(Timer& head, Timer& into) {
    if (head.next == &head) {
      into.next = into.previous = &into;
      return;
    }
    into.next = head.next;
    into.previous = head.previous;
    into.next->previous = &into;
    into.previous->next = &into;
    head.next = head.previous = &head;
  }

  uint64_t now_;
  std::array<Timer, kSlots> slots_;
};

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_TIMER_WHEEL_H_
