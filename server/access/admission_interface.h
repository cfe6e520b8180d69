// Admission: may one more handshake begin? Asked before any cryptography, so that a flood costs
// little. A refusal is RESOURCE_EXHAUSTED with a stable reason and a retry delay.
#ifndef HANDFAST_SERVER_ACCESS_ADMISSION_INTERFACE_H_
#define HANDFAST_SERVER_ACCESS_ADMISSION_INTERFACE_H_

#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace handfast::access {

// The right to one live handshake, given back when it is destroyed. Move-only; may be destroyed on
// any thread, before the Admission that gave it.
class [[nodiscard]] Admitted {
 public:
  Admitted() = default;
  explicit Admitted(std::function<void()> give_back) : give_back_(std::move(give_back)) {}
  Admitted(Admitted&& other) noexcept : give_back_(std::exchange(other.give_back_, nullptr)) {}
  Admitted& operator=(Admitted&& other) noexcept {
    if (this != &other) {
      GiveBack();
      give_back_ = std::exchange(other.give_back_, nullptr);
    }
    return *this;
  }
  ~Admitted() { GiveBack(); }

 private:
  void GiveBack() {
    if (give_back_) std::exchange(give_back_, nullptr)();
  }
  std::function<void()> give_back_;
};

class AdmissionInterface {
 public:
  virtual ~AdmissionInterface() = default;

  // Thread-safe. RESOURCE_EXHAUSTED (error_details_interface.h has reason and delay) with
  //   HANDSHAKES_LIMIT         the whole service is full;
  //   TENANT_HANDSHAKES_LIMIT  the tenant has its share;
  //   TENANT_RATE_LIMIT        the tenant begins more a second than it may.
  virtual absl::StatusOr<Admitted> Admit(std::string_view tenant) = 0;
};

}  // namespace handfast::access

#endif  // HANDFAST_SERVER_ACCESS_ADMISSION_INTERFACE_H_
