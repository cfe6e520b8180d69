// Sessions that are kept here rather than sealed into tickets: TLS 1.2's that go by their id, and
// all of a client's. In the store, for all replicas. A tenant has a fixed number of places, found
// by the digest of what a session is filed under, each with the latest few that fell on it: peers
// decide how many sessions there are, and must not decide how much is stored.
#ifndef HANDFAST_SERVER_SESSIONS_SESSION_TABLE_H_
#define HANDFAST_SERVER_SESSIONS_SESSION_TABLE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "server/handshakes/clock_interface.h"
#include "server/store/store_interface.h"
#include "tls/base/bytes.h"
#include "tls/engine/session.h"

namespace handfast::sessions {

// Of a tenant: with kSessionsInPlace, 16,384 sessions of 300 bytes, or a few KiB with a chain.
inline constexpr uint32_t kPlaces = 4096;
inline constexpr size_t kSessionsInPlace = 4;
// A chain that would make one larger is not kept.
inline constexpr size_t kMaxKeptSessionSize = size_t{16} << 10;

// All calls wait for the store; what goes wrong there is the status, NOT_FOUND among that.
class SessionTable {
 public:
  // SHA-256 of what a session is filed under.
  using Label = std::array<uint8_t, 32>;

  // Both outlive it.
  SessionTable(const handshakes::Clock& clock, store::Store& store)
      : clock_(clock), store_(store) {}

  absl::Status Keep(const std::string& tenant, const Label& label, tls::Session spent);
  // The latest under the label, which stays.
  absl::StatusOr<tls::Session> Find(const std::string& tenant, const Label& label);
  // The same, and nobody else has it.
  absl::StatusOr<tls::Session> Take(const std::string& tenant, const Label& label);

 private:
  struct Entry {
    Label label{};
    tls::Session session;
  };
  struct Place {
    std::vector<Entry> entries;  // the latest first
    uint64_t generation = 0;     // 0: not there yet
  };
  template <class Io>
  static bool Fields(Io& io, std::vector<Entry>& entries);
  static std::string HandleOf(const Label& label, int64_t period);

  int64_t Period() const;
  absl::StatusOr<Place> Read(const std::string& tenant, const std::string& handle);
  absl::Status Write(const std::string& tenant, const std::string& handle, Place& place);

  const handshakes::Clock& clock_;
  store::Store& store_;
};

}  // namespace handfast::sessions

#endif  // HANDFAST_SERVER_SESSIONS_SESSION_TABLE_H_
