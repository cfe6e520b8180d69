// What replicas have told, to anybody, and whether it may stand side by side. Of each handshake: a
// reply a step; bytes of its stream by position; each protected record by its place in the sequence
// of its keys; and who keeps its connection.
#ifndef HANDFAST_TESTS_SIM_LEDGER_H_
#define HANDFAST_TESTS_SIM_LEDGER_H_

#include <map>
#include <string>
#include <vector>

#include "server/handshakes/owner_interface.h"
#include "tls/base/bytes.h"
#include "tls/base/registry.h"

namespace handfast::sim {

class Ledger {
 public:
  using Handle = handshakes::Handle;

  void Begin(const Handle& handle, tls::ProtocolVersion version);
  // A step's reply, as it was sent. `call`: its input, and what it is named for.
  void Step(const Handle& handle, uint64_t number, tls::ByteView call, tls::ByteView encoded,
            tls::ByteView to_peer);
  // Bytes for the peer, from `position` of the stream on.
  void Stream(const Handle& handle, uint64_t position, tls::ByteView to_peer);
  // The first record after the handshake, by who holds the keys.
  void Sealed(const Handle& handle, tls::ByteView record);
  // A replica has the connection from now on.
  void Kept(const Handle& handle);

  bool ToldAnything(const Handle& handle) const;

  // The first one counts.
  void Violated(const std::string& what) {
    if (violation_.empty()) violation_ = what;
  }
  const std::string& violation() const { return violation_; }

 private:
  struct ToldStep {
    tls::Bytes call;
    tls::Bytes encoded;
    tls::Bytes to_peer;
  };
  struct Story {
    tls::ProtocolVersion version{};
    std::map<uint64_t, ToldStep> steps;
    uint64_t in_stream = 0;  // steps whose bytes are there
    tls::Bytes stream;
    size_t parsed = 0;
    bool protects = false;            // TLS 1.2: after its ChangeCipherSpec
    std::vector<tls::Bytes> records;  // protected ones; empty: not told yet
    size_t after = 0;                 // of `records`, those in the stream
    int kept = 0;
  };
  void Record(Story& story, size_t place, tls::ByteView record);

  std::map<std::string, Story> stories_;
  std::string violation_;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_LEDGER_H_
