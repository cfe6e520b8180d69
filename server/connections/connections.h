// The table of established connections: what each handshake agreed on, and, where the record keys
// were not released, the connection value that holds them. Bounded. Where keys were released an
// entry is a mere record, so the oldest make room for new ones; where they were not, the entry is
// the connection itself, so new ones are refused before their handshake begins (those that are
// live then may exceed the limit by as many), and end by age where nobody ends them.
#ifndef HANDFAST_SERVER_CONNECTIONS_CONNECTIONS_H_
#define HANDFAST_SERVER_CONNECTIONS_CONNECTIONS_H_

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"

#include "server/connections/kept_connection.h"
#include "server/connections/records.h"
#include "server/connections/whereabouts.h"
#include "server/handshakes/clock_interface.h"
#include "server/handshakes/established_interface.h"
#include "server/handshakes/owner_interface.h"

namespace handfast::connections {

struct Limits {
  // Entries of each kind. 100,000 records take about 100 MB.
  size_t released = 100'000;
  size_t kept = 10'000;
  // How long a connection is kept whose owner has not ended it: owners that crash leave theirs.
  std::chrono::seconds kept_for = std::chrono::hours(24);
};

// What GetConnection tells.
struct Described {
  handshakes::Handle handle;
  std::shared_ptr<const tls::Established> established;
  std::string verified_by;
  std::chrono::milliseconds age{0};
  bool keys_released = false;
};

class Connections final : public handshakes::EstablishedConnections {
 public:
  // `whereabouts`: where other replicas look for the kept ones of durable handshakes; null: there
  // are none.
  Connections(const handshakes::Clock& clock, Limits limits, Whereabouts* whereabouts = nullptr);

  // No tenant may hold more than half of what can be kept, so that none can shut out the rest.
  bool HasRoom(const std::string& tenant, bool keys_released) const override;
  // Where there is no room among the released: the tenant's own oldest goes, else the oldest.
  void Add(handshakes::EstablishedConnection connection) override;

  // Nullopt where it is unknown, has ended, or is somebody else's.
  std::optional<Described> Find(const handshakes::Owner& owner,
                                const handshakes::Handle& handle) const;
  // Forgets it and wipes its keys; what it was, or nullopt as above.
  std::optional<Described> Terminate(const handshakes::Owner& owner,
                                     const handshakes::Handle& handle);

  // Records of a kept one; see kept_connection.h for the statuses besides these:
  //   NOT_FOUND                            as above, or it has failed;
  //   FAILED_PRECONDITION (KEYS_RELEASED)  somebody else has the keys.
  // Of any number of calls at once on one connection each waits for the one before.
  absl::StatusOr<RecordAnswer> Seal(const handshakes::Owner& owner,
                                    const handshakes::Handle& handle, const SealCall& call);
  absl::StatusOr<RecordAnswer> Open(const handshakes::Owner& owner,
                                    const handshakes::Handle& handle, const OpenCall& call);
  absl::StatusOr<RecordAnswer> Close(const handshakes::Owner& owner,
                                     const handshakes::Handle& handle);

  // PERMISSION_DENIED (KEY_RELEASE_DENIED) where the caller's role or the handshake's profile says
  // so; else as KeptConnection::Release, and so are the next two. Keys that left with the handshake
  // left nothing here: FAILED_PRECONDITION (KEYS_RELEASED).
  absl::StatusOr<std::shared_ptr<const KeyRelease>> Release(const handshakes::Owner& owner,
                                                            const handshakes::Handle& handle,
                                                            KeyKind kind,
                                                            const std::string& request_id,
                                                            bool caller_may_release);
  absl::StatusOr<std::shared_ptr<const KeyUpdate>> Update(const handshakes::Owner& owner,
                                                          const handshakes::Handle& handle,
                                                          bool write, bool request_update,
                                                          const std::string& request_id);
  absl::Status Export(const handshakes::Owner& owner, const handshakes::Handle& handle,
                      std::string_view label, tls::ByteView context, std::span<uint8_t> out) const;

  // In the order of their handles, those behind `after`, at most `count`.
  std::vector<Described> List(const handshakes::Owner& owner,
                              const std::optional<handshakes::Handle>& after, size_t count) const;

  // Ends the kept ones that are too old, and forgets replies that nobody asked for again. To be
  // called now and then.
  void EndOld();

  size_t size() const;

 private:
  struct Tenant;
  struct Entry {
    handshakes::EstablishedConnection connection;  // what it holds of keys is in `kept`
    std::shared_ptr<KeptConnection> kept;          // null: its keys were released
    Tenant* tenant = nullptr;
    // Where it stands among the released or the kept of all, and among its tenant's released.
    std::list<Entry*>::iterator of_all;
    std::list<Entry*>::iterator of_tenant;
  };
  struct Tenant {
    std::list<Entry*> released;  // the oldest in front
    size_t kept = 0;
    std::shared_ptr<KeptReplyBytes> reply_bytes = std::make_shared<KeptReplyBytes>(0);
  };
  using Table =
      std::unordered_map<handshakes::Handle, std::unique_ptr<Entry>, handshakes::HandleHash>;

  // With mutex_ held.
  Table::const_iterator Locate(const handshakes::Owner& owner,
                               const handshakes::Handle& handle) const;
  std::unique_ptr<Entry> Remove(Table::const_iterator where);
  Described Describe(const Entry& entry) const;
  // Without it.
  absl::StatusOr<std::shared_ptr<KeptConnection>> Kept(const handshakes::Owner& owner,
                                                       const handshakes::Handle& handle) const;
  bool MayRelease(const handshakes::Owner& owner, const handshakes::Handle& handle) const;
  void ForgetReplies();

  const handshakes::Clock& clock_;
  const Limits limits_;
  Whereabouts* const whereabouts_;
  mutable std::mutex mutex_;
  Table table_;
  // Tenants come from the configuration: there are never more of them than it names.
  std::unordered_map<std::string, Tenant> tenants_;
  std::list<Entry*> released_;                 // the oldest in front
  std::list<Entry*> kept_;                     // likewise
  handshakes::MonotonicTime next_forgetting_;  // for EndOld alone
};

}  // namespace handfast::connections

#endif  // HANDFAST_SERVER_CONNECTIONS_CONNECTIONS_H_
