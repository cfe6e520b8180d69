#include "tests/badpeer/scripted_peer.h"

#include <utility>

namespace handfast::tls::badpeer {

ScriptedPeer::ScriptedPeer(test::ClientScript client, Script script)
    : client_(Capture(std::move(client))), writer_(std::move(script)) {}

test::ClientScript ScriptedPeer::Capture(test::ClientScript client) {
  client.edit_flight = [this](test::Flight& flight) { captured_ = std::exchange(flight, {}); };
  return client;
}

Bytes ScriptedPeer::Begin() {
  writer_.Add(ContentType::kHandshake, ByteView(client_.Start()).subspan(kRecordHeaderSize));
  return writer_.Flush();
}

Bytes ScriptedPeer::Receive(ByteView bytes) {
  client_.Receive(bytes);
  // The client says its last flight once, so that its keys are ours from here on.
  bool installed = false;
  for (const test::FlightRecord& record : std::exchange(captured_, {})) {
    if (record.encrypted && !std::exchange(installed, true)) {
      writer_.Install(std::move(*client_.sealer().keys()));
    }
    writer_.Add(record.type, record.content);
  }
  return writer_.Flush();
}

}  // namespace handfast::tls::badpeer
