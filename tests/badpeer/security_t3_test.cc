// T3, CRIME: compression is never negotiated, in either role. The control of each is the same hello
// with the null method.
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

constexpr Place kHello{0, 0};

Outcome Offer(const Side& side, const Bytes& methods) {
  return Try(Meeting(side, {EditAs<ClientHello>(kHello, "Compression", [methods](auto& m) {
                       m.legacy_compression_methods = methods;
                     })}));
}

TEST(T3_Compression, WithoutNullIsRefused) {
  for (const Side& side : {kServer13, kServer12}) {
    for (const Bytes& methods : {Bytes{1}, Bytes{64}, Bytes{1, 64}, Bytes(255, 1)}) {
      EXPECT_TRUE(Refused(Offer(side, methods), Reason::kBadCompression, Alert::kIllegalParameter))
          << ToHex(methods);
    }
    const Outcome control = Offer(side, {0});
    EXPECT_TRUE(Succeeded(control));
    EXPECT_FALSE(Refused(control, Reason::kBadCompression, Alert::kIllegalParameter));
  }
}

// RFC 8446 §4.1.2: in TLS 1.3 "exactly one byte, set to zero".
TEST(T3_Compression, WithNullAndMore) {
  for (const Bytes& methods : {Bytes{0, 1}, Bytes{1, 0}}) {
    EXPECT_TRUE(
        Refused(Offer(kServer13, methods), Reason::kBadCompression, Alert::kIllegalParameter));
  }
}

// TLS 1.2 picks null. The peer's transcript is that of the hello as it was, so that the hello must
// be right from the start.
TEST(T3_Compression, NullIsPickedInTls12) {
  for (const Bytes& methods : {Bytes{0, 1}, Bytes{1, 0}}) {
    Meeting meeting(kServer12);
    meeting.hello.compression_methods = methods;
    EXPECT_TRUE(Succeeded(Try(meeting))) << ToHex(methods);
  }
}

TEST(T3_Compression, AServerThatPicksOneIsRefused) {
  for (int method = 1; method < 256; ++method) {
    const auto edit = [method](ServerHello& m) {
      m.legacy_compression_method = static_cast<uint8_t>(method);
    };
    for (const Side& side : {kClient13, kClient12}) {
      EXPECT_TRUE(Refused(Try(Meeting(side, {EditAs<ServerHello>(kHello, "Method", edit)})),
                          Reason::kBadCompression, Alert::kIllegalParameter))
          << method;
    }
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
