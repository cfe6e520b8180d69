// RecordService: every status that the contract promises, every limit and one more.
#include <functional>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "handfast/v1/connections.grpc.pb.h"
#include "server/connections/records.h"
#include "tests/server/rpc/record_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using grpc::StatusCode;
using tls::Bytes;
using tls::test::LibsslClient;

// Each RPC once, in a sound form: its status.
struct Call {
  const char* rpc;
  std::function<grpc::Status(const std::shared_ptr<grpc::Channel>&, const std::string&)> make;
};

grpc::Status Protect(const std::shared_ptr<grpc::Channel>& channel,
                     const v1::ProtectRequest& request) {
  ProtectCall call(channel);
  call.Send(request);
  call.HalfClose();
  while (call.Next()) {
  }
  return call.Finish();
}

const std::vector<Call>& Calls() {
  static const auto* const calls = new std::vector<Call>{
      {"Seal",
       [](const auto& channel, const std::string& name) {
         v1::SealResponse response;
         return RecordCaller(channel).Seal(name, std::nullopt, tls::AsBytes("x"), &response);
       }},
      {"Open",
       [](const auto& channel, const std::string& name) {
         v1::OpenResponse response;
         return RecordCaller(channel).Open(name, std::nullopt, {}, &response);
       }},
      {"Close",
       [](const auto& channel, const std::string& name) {
         v1::CloseResponse response;
         return RecordCaller(channel).Close(name, &response);
       }},
      {"Protect",
       [](const auto& channel, const std::string& name) {
         v1::ProtectRequest request;
         request.set_connection(name);
         request.set_from_peer("");
         return Protect(channel, request);
       }},
  };
  return *calls;
}

class RecordsContract : public testing::Test {
 protected:
  std::string Connect(LibsslClient& peer, bool release = false) {
    v1::Start start = PlainStart();
    if (release) start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
    RelayCall call(service_.Channel(As::kEdge));
    return RunHandshake(call, 1, start, peer).established().connection();
  }
  grpc::Status Terminate(const std::string& name) {
    grpc::ClientContext context;
    v1::TerminateConnectionRequest request;
    request.set_name(name);
    v1::TerminateConnectionResponse response;
    return v1::ConnectionService::NewStub(service_.Channel(As::kEdge))
        ->TerminateConnection(&context, request, &response);
  }
  grpc::Status Get(const std::string& name) {
    grpc::ClientContext context;
    v1::GetConnectionRequest request;
    request.set_name(name);
    v1::Connection response;
    return v1::ConnectionService::NewStub(service_.Channel(As::kEdge))
        ->GetConnection(&context, request, &response);
  }
  std::string Violation(const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << status.error_message();
    EXPECT_EQ(ReasonOf(status), "INVALID_FIELD");
    const auto violations = ViolationsOf(DetailsOf(status));
    return violations.field_violations_size() == 1 ? violations.field_violations(0).field() : "";
  }

  TestService service_;
  LibsslClient peer_{{}};
};

TEST_F(RecordsContract, TheOwnerMayAndNobodyElse) {
  const std::string name = Connect(peer_);
  const std::string nobodys = "connections/" + std::string(32, '0');
  for (const Call& call : Calls()) {
    const grpc::Status unknown = call.make(service_.Channel(As::kEdge), nobodys);
    EXPECT_EQ(unknown.error_code(), StatusCode::NOT_FOUND) << call.rpc;
    EXPECT_EQ(ReasonOf(unknown), "NOT_FOUND");
    for (const As caller : {As::kForeign, As::kSibling}) {
      const grpc::Status foreign = call.make(service_.Channel(caller), name);
      EXPECT_EQ(foreign.error_code(), StatusCode::NOT_FOUND) << call.rpc;
      EXPECT_EQ(foreign.error_message(), unknown.error_message());
      EXPECT_EQ(foreign.error_details(), unknown.error_details());
    }
    const grpc::Status role = call.make(service_.Channel(As::kOperator), name);
    EXPECT_EQ(role.error_code(), StatusCode::PERMISSION_DENIED) << call.rpc;
    EXPECT_EQ(ReasonOf(role), "ROLE_REQUIRED");
    const grpc::Status stranger = call.make(service_.Channel(As::kStranger), name);
    EXPECT_EQ(stranger.error_code(), StatusCode::UNAUTHENTICATED) << call.rpc;
    EXPECT_EQ(ReasonOf(stranger), "UNKNOWN_PRINCIPAL");
  }
  for (const Call& call : Calls()) {  // the control
    EXPECT_TRUE(call.make(service_.Channel(As::kEdge), name).ok()) << call.rpc;
  }
}

TEST_F(RecordsContract, WhatHasEndedLooksUnknown) {
  const std::string name = Connect(peer_);
  const grpc::Status unknown =
      Calls()[0].make(service_.Channel(As::kEdge), "connections/" + std::string(32, '0'));
  ASSERT_TRUE(Terminate(name).ok());
  for (const Call& call : Calls()) {
    const grpc::Status ended = call.make(service_.Channel(As::kEdge), name);
    EXPECT_EQ(ended.error_code(), StatusCode::NOT_FOUND) << call.rpc;
    EXPECT_EQ(ended.error_details(), unknown.error_details());
  }
}

TEST_F(RecordsContract, WhoeverHasTheKeysIsTheOnlySealer) {
  LibsslClient peer({});
  const std::string name = Connect(peer, /*release=*/true);
  for (const Call& call : Calls()) {
    const grpc::Status status = call.make(service_.Channel(As::kEdge), name);
    EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION) << call.rpc;
    EXPECT_EQ(ReasonOf(status), "KEYS_RELEASED");
    // And to others it is unknown still.
    EXPECT_EQ(call.make(service_.Channel(As::kForeign), name).error_code(), StatusCode::NOT_FOUND);
  }
}

TEST_F(RecordsContract, MalformedRequestsNameTheField) {
  const std::string name = Connect(peer_);
  const auto channel = service_.Channel(As::kEdge);
  RecordCaller caller(channel);
  for (const Call& call : Calls()) {
    for (const char* bad : {"connections/1", "handshakes/00000000000000000000000000000000"}) {
      EXPECT_EQ(Violation(call.make(channel, bad)), "connection") << call.rpc;
    }
  }
  v1::SealResponse sealed;
  v1::OpenResponse opened;
  EXPECT_EQ(Violation(caller.Seal(name, 0, {}, &sealed)), "plaintext");
  const Bytes most(connections::kMaxCallBytes, 'x');
  const Bytes more(connections::kMaxCallBytes + 1, 'x');
  EXPECT_EQ(Violation(caller.Seal(name, 0, more, &sealed)), "plaintext");
  EXPECT_EQ(Violation(caller.Open(name, 0, more, &opened)), "from_peer");
  EXPECT_EQ(ReasonOf(caller.Seal(name, 0, Bytes(size_t{257} << 10, 'x'), &sealed)), "")
      << "gRPC itself refuses it";
  v1::ProtectRequest request;
  request.set_connection(name);
  EXPECT_EQ(Violation(Protect(channel, request)), "event");
  request.set_plaintext("");
  EXPECT_EQ(Violation(Protect(channel, request)), "plaintext");
  request.set_plaintext(more.data(), more.size());
  EXPECT_EQ(Violation(Protect(channel, request)), "plaintext");
  request.set_from_peer(more.data(), more.size());
  EXPECT_EQ(Violation(Protect(channel, request)), "from_peer");
  request.set_last_from_peer(more.data(), more.size());
  EXPECT_EQ(Violation(Protect(channel, request)), "last_from_peer");
  request.clear_connection();
  request.set_plaintext("x");
  EXPECT_EQ(Violation(Protect(channel, request)), "connection");
  // At the limit, and nothing before it has happened.
  ASSERT_TRUE(caller.Seal(name, 0, most, &sealed).ok());
  EXPECT_EQ(sealed.to_peer_offset(), 0u);
  EXPECT_EQ(sealed.next_seq(), 8u);
}

TEST_F(RecordsContract, AStreamNamesItsConnectionOnce) {
  const std::string name = Connect(peer_);
  ProtectCall call(service_.Channel(As::kEdge));
  v1::ProtectRequest request;
  request.set_connection(name);
  request.set_plaintext("x");
  ASSERT_TRUE(call.Send(request));
  EXPECT_TRUE(call.Next());
  ASSERT_TRUE(call.Send(request));
  EXPECT_FALSE(call.Next());
  EXPECT_EQ(Violation(call.Finish()), "connection");
  EXPECT_TRUE(Get(name).ok()) << "the connection lives on";
}

TEST_F(RecordsContract, RetriesGapsAndConflicts) {
  const std::string name = Connect(peer_);
  RecordCaller caller(service_.Channel(As::kEdge));
  v1::SealResponse first;
  v1::SealResponse again;
  ASSERT_TRUE(caller.Seal(name, 0, tls::AsBytes("hello"), &first).ok());
  ASSERT_TRUE(caller.Seal(name, 0, tls::AsBytes("hello"), &again).ok());
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(service_.metrics.records_sealed, 1u) << "a retry does nothing";
  const grpc::Status conflict = caller.Seal(name, 0, tls::AsBytes("other"), &again);
  EXPECT_EQ(conflict.error_code(), StatusCode::ABORTED);
  EXPECT_EQ(ReasonOf(conflict), "SEQUENCE_CONFLICT");
  const grpc::Status gap = caller.Seal(name, 5, tls::AsBytes("hello"), &again);
  EXPECT_EQ(gap.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(gap), "SEQUENCE_MISMATCH");
  EXPECT_EQ(MetadataOf(gap, "expected_seq"), "1");

  const Bytes records = peer_.Write(tls::AsBytes("hi"));
  v1::OpenResponse opened;
  v1::OpenResponse opened_again;
  ASSERT_TRUE(caller.Open(name, 0, records, &opened).ok());
  ASSERT_TRUE(caller.Open(name, 0, records, &opened_again).ok());
  EXPECT_EQ(opened.plaintext(), "hi");
  EXPECT_EQ(opened_again.SerializeAsString(), opened.SerializeAsString());
  EXPECT_EQ(service_.metrics.records_opened, 1u);
  EXPECT_EQ(caller.Open(name, 0, {}, &opened).error_code(), StatusCode::ABORTED);
  EXPECT_EQ(caller.Open(name, 2, {}, &opened).error_code(), StatusCode::FAILED_PRECONDITION);
}

TEST_F(RecordsContract, AfterTenSecondsARetryIsAGap) {
  const std::string name = Connect(peer_);
  RecordCaller caller(service_.Channel(As::kEdge));
  v1::SealResponse sealed;
  ASSERT_TRUE(caller.Seal(name, 0, tls::AsBytes("hello"), &sealed).ok());
  service_.clock.Advance(std::chrono::seconds(10));
  service_.connections().EndOld();
  EXPECT_TRUE(caller.Seal(name, 0, tls::AsBytes("hello"), &sealed).ok());
  service_.clock.Advance(std::chrono::seconds(1));
  service_.connections().EndOld();
  EXPECT_EQ(ReasonOf(caller.Seal(name, 0, tls::AsBytes("hello"), &sealed)), "SEQUENCE_MISMATCH");
  EXPECT_TRUE(caller.Seal(name, 1, tls::AsBytes("hello"), &sealed).ok());
}

TEST_F(RecordsContract, CloseIsOfTheWriteSideAndOnce) {
  const std::string name = Connect(peer_);
  RecordCaller caller(service_.Channel(As::kEdge));
  v1::CloseResponse closed;
  v1::CloseResponse again;
  ASSERT_TRUE(caller.Close(name, &closed).ok());
  ASSERT_TRUE(caller.Close(name, &again).ok());
  EXPECT_EQ(again.SerializeAsString(), closed.SerializeAsString());
  v1::SealResponse sealed;
  const grpc::Status refused = caller.Seal(name, 0, tls::AsBytes("x"), &sealed);
  EXPECT_EQ(refused.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(refused), "WRITE_CLOSED");
  v1::OpenResponse opened;
  ASSERT_TRUE(caller.Open(name, 0, peer_.Write(tls::AsBytes("still")), &opened).ok());
  EXPECT_EQ(opened.plaintext(), "still");
}

TEST_F(RecordsContract, AFailureIsAReplyThatEndsTheConnection) {
  for (const bool stream : {false, true}) {
    LibsslClient peer({});
    const std::string name = Connect(peer);
    Bytes forged = peer.Write(tls::AsBytes("hi"));
    forged.back() ^= 1;
    if (stream) {
      ProtectCall call(service_.Channel(As::kEdge));
      v1::ProtectRequest request;
      request.set_connection(name);
      request.set_from_peer(forged.data(), forged.size());
      ASSERT_TRUE(call.Send(request));
      const auto reply = call.Next();
      ASSERT_TRUE(reply);
      EXPECT_EQ(reply->failure().reason(), "bad_record_mac");
      EXPECT_FALSE(reply->to_peer().empty());
      EXPECT_FALSE(call.Next()) << "the stream is over as well";
      EXPECT_TRUE(call.Finish().ok());
    } else {
      RecordCaller caller(service_.Channel(As::kEdge));
      v1::OpenResponse opened;
      v1::OpenResponse again;
      ASSERT_TRUE(caller.Open(name, 0, forged, &opened).ok());
      EXPECT_EQ(opened.failure().origin(), v1::Failure::LOCAL);
      EXPECT_EQ(opened.failure().alert(), 20u);
      EXPECT_EQ(opened.failure().reason(), "bad_record_mac");
      EXPECT_FALSE(opened.to_peer().empty());
      ASSERT_TRUE(caller.Open(name, 0, forged, &again).ok());
      EXPECT_EQ(again.SerializeAsString(), opened.SerializeAsString());
    }
    EXPECT_EQ(Get(name).error_code(), StatusCode::NOT_FOUND);
    for (const Call& call : Calls()) {
      EXPECT_EQ(call.make(service_.Channel(As::kEdge), name).error_code(), StatusCode::NOT_FOUND);
    }
    service_.clock.Advance(std::chrono::seconds(11));
    service_.connections().EndOld();
    EXPECT_EQ(service_.connections().size(), 0u);
  }
}

TEST_F(RecordsContract, ThePeersAlertAndItsSilentEndAreFailures) {
  LibsslClient alerting({});
  std::string name = Connect(alerting);
  RecordCaller caller(service_.Channel(As::kEdge));
  v1::OpenResponse opened;
  ASSERT_TRUE(caller.Open(name, 0, {}, &opened, /*peer_closed=*/true).ok());
  EXPECT_EQ(opened.failure().origin(), v1::Failure::CLOSED);
  EXPECT_EQ(opened.failure().reason(), "peer_closed");
  LibsslClient polite({});
  name = Connect(polite);
  ASSERT_TRUE(caller.Open(name, 0, polite.Close(), &opened, /*peer_closed=*/true).ok());
  EXPECT_FALSE(opened.has_failure());
  EXPECT_TRUE(opened.peer_closed());
}

TEST(RecordLimits, AFullQueueLeavesTheConnectionAlive) {
  access::WorkQueueOptions work;
  work.max_waiting = 0;
  TestService service({.work = work});
  LibsslClient peer({});
  RelayCall relay(service.Channel(As::kEdge));
  const std::string name = RunHandshake(relay, 1, PlainStart(), peer).established().connection();
  RecordCaller caller(service.Channel(As::kEdge));
  v1::SealResponse sealed;
  for (int i = 0; i < 2; ++i) {
    const grpc::Status status = caller.Seal(name, 0, Bytes(100'000, 'x'), &sealed);
    EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonOf(status), "QUEUE_LIMIT");
    EXPECT_GT(RetryDelayMs(DetailsOf(status)), 0);
  }
  ASSERT_TRUE(caller.Seal(name, 0, tls::AsBytes("small"), &sealed).ok()) << "nothing was lost";
  EXPECT_EQ(tls::AsText(peer.Read(tls::AsBytes(sealed.to_peer()))), "small");
}

TEST(RecordLimits, AStreamEndsWithTheService) {
  auto service = std::make_unique<TestService>();
  LibsslClient peer({});
  std::string name;
  {
    RelayCall relay(service->Channel(As::kEdge));
    name = RunHandshake(relay, 1, PlainStart(), peer).established().connection();
  }
  ProtectCall call(service->Channel(As::kEdge));
  v1::ProtectRequest request;
  request.set_connection(name);
  request.set_plaintext("x");
  ASSERT_TRUE(call.Send(request));
  ASSERT_TRUE(call.Next());
  service.reset();
  EXPECT_FALSE(call.Next());
  EXPECT_FALSE(call.Finish().ok());
}

}  // namespace
}  // namespace handfast::rpc::test
