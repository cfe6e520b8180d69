// The shared ticket keys as a value: when they seal, how long they open, and what a clock that
// jumps does to them. T21 of the threats, as far as it is theirs.
#include "server/sessions/ticket_key_set.h"

#include <gtest/gtest.h>

#include "tls/crypto/random.h"

namespace handfast::sessions {
namespace {

using tls::Bytes;

constexpr int64_t kNow = 1'800'000'000;
constexpr int64_t kHour = 3600;

tls::Session NewSession() {
  tls::Session session;
  session.version = tls::ProtocolVersion::kTls13;
  session.secret = *tls::HashSecret::From(Bytes(32, 7));
  session.server_name = "example.test";
  return session;
}

Bytes TicketOf(const TicketKeySet& set, int64_t now) {
  return set.KeysAt(now)->SealerFor({})->Seal(NewSession())->bytes;
}

bool Opens(const TicketKeySet& set, int64_t now, const Bytes& ticket) {
  const auto keys = set.KeysAt(now);
  return keys != nullptr && keys->Open(ticket, {}).has_value();
}

bool Rotate(TicketKeySet& set, int64_t now) { return *set.Rotate(now, tls::SystemRandomness()); }

TicketKeySet CopyOf(const TicketKeySet& set) { return *TicketKeySet::Parse(set.Serialize()); }

TEST(TicketKeySet, AnEmptyOneHasNoKeys) {
  const TicketKeySet set;
  EXPECT_EQ(set.KeysAt(kNow), nullptr);
  EXPECT_EQ(set.RotatedAt(kNow), std::nullopt);
}

TEST(TicketKeySet, T21_AKeySealsForTwoHours) {
  TicketKeySet set;
  EXPECT_TRUE(Rotate(set, kNow));
  EXPECT_FALSE(Rotate(set, kNow)) << "nothing is due";
  const Bytes first = TicketOf(set, kNow);
  const Bytes name(first.begin(), first.begin() + tls::kTicketKeyNameSize);
  const auto sealed_with_first = [&](int64_t now) {
    const Bytes ticket = TicketOf(set, now);
    return std::equal(name.begin(), name.end(), ticket.begin());
  };
  EXPECT_TRUE(sealed_with_first(kNow + 2 * kHour - 1));
  EXPECT_EQ(set.RotatedAt(kNow + 2 * kHour - 1), kNow);
  EXPECT_FALSE(sealed_with_first(kNow + 2 * kHour)) << "without a call: the next was there";
  EXPECT_EQ(set.RotatedAt(kNow + 2 * kHour), kNow + 2 * kHour);
}

TEST(TicketKeySet, T21_AKeyOpensForThirteenHoursMore) {
  TicketKeySet set;
  Rotate(set, kNow);
  const Bytes last = TicketOf(set, kNow + 2 * kHour - 1);
  for (int64_t at = 0; at <= 16 * kHour; at += kHour) {
    Rotate(set, kNow + at);
    EXPECT_EQ(Opens(set, kNow + at, last), at < 15 * kHour) << at;
  }
  // Nor is it there any more.
  TicketKeySet idle;
  Rotate(idle, kNow);
  const Bytes ticket = TicketOf(idle, kNow);
  EXPECT_TRUE(Opens(idle, kNow + 15 * kHour - 1, ticket));
  EXPECT_FALSE(Opens(idle, kNow + 15 * kHour, ticket));
  Rotate(idle, kNow + 15 * kHour);
  EXPECT_FALSE(Opens(idle, kNow, ticket)) << "it was dropped, not hidden";
}

// What one replica makes, another that read the set in the last two hours opens.
TEST(TicketKeySet, TheNextKeyIsKnownBeforeItSeals) {
  TicketKeySet one;
  Rotate(one, kNow);
  const TicketKeySet stale = CopyOf(one);
  Rotate(one, kNow + 2 * kHour);
  EXPECT_TRUE(Opens(stale, kNow + 2 * kHour, TicketOf(one, kNow + 2 * kHour)));
  // The control: two rotations later it is not.
  Rotate(one, kNow + 4 * kHour);
  EXPECT_FALSE(Opens(stale, kNow + 4 * kHour, TicketOf(one, kNow + 4 * kHour)));
}

TEST(TicketKeySet, WithoutRotationTheyStopSealingAndGoOnOpening) {
  TicketKeySet set;
  Rotate(set, kNow);
  const Bytes ticket = TicketOf(set, kNow + 3 * kHour);
  EXPECT_TRUE(set.KeysAt(kNow + 4 * kHour - 1)->seals());
  EXPECT_FALSE(set.KeysAt(kNow + 4 * kHour)->seals());
  EXPECT_TRUE(Opens(set, kNow + 17 * kHour - 1, ticket));
  EXPECT_EQ(set.KeysAt(kNow + 17 * kHour), nullptr);
}

// S22: a clock that jumps costs full handshakes at worst.
TEST(TicketKeySet, T21_ClockBackAndForth) {
  for (const int64_t jump : {-kHour, -24 * kHour, -1000 * kHour, kHour}) {
    TicketKeySet set;
    Rotate(set, kNow - kHour);
    Rotate(set, kNow);
    const Bytes before = TicketOf(set, kNow);
    Rotate(set, kNow + jump);
    ASSERT_NE(set.KeysAt(kNow + jump), nullptr) << jump;
    EXPECT_TRUE(set.KeysAt(kNow + jump)->seals()) << jump;
    Rotate(set, kNow);
    EXPECT_TRUE(Opens(set, kNow, before)) << jump;
    EXPECT_TRUE(set.KeysAt(kNow)->seals()) << jump;
  }
  // Far ahead, all are over; and back again.
  TicketKeySet set;
  Rotate(set, kNow);
  const Bytes before = TicketOf(set, kNow);
  Rotate(set, kNow + 1000 * kHour);
  EXPECT_TRUE(set.KeysAt(kNow + 1000 * kHour)->seals());
  Rotate(set, kNow);
  EXPECT_TRUE(set.KeysAt(kNow)->seals());
  EXPECT_FALSE(Opens(set, kNow, before)) << "what is dropped is gone";
}

TEST(TicketKeySet, ItsSizeIsBounded) {
  TicketKeySet set;
  size_t most = 0;
  for (int i = 0; i < 200; ++i) {
    const int64_t now = kNow - i * 100 * kHour;  // ever further back
    Rotate(set, now);
    EXPECT_TRUE(set.KeysAt(now)->seals());
    most = std::max(most, set.Serialize().size());
  }
  EXPECT_EQ(most, TicketKeySet().Serialize().size()) << "the same, however many there are";
}

TEST(TicketKeySet, TheStoredFormIsReadOrRefused) {
  TicketKeySet set;
  Rotate(set, kNow);
  const Bytes stored = set.Serialize();
  ASSERT_TRUE(TicketKeySet::Parse(stored));
  EXPECT_EQ(TicketKeySet::Parse(stored)->Serialize(), stored);
  for (size_t size = 0; size < stored.size(); ++size) {
    EXPECT_FALSE(TicketKeySet::Parse(tls::ByteView(stored).first(size))) << size;
  }
  Bytes wrong = stored;
  wrong[0] ^= 1;
  EXPECT_FALSE(TicketKeySet::Parse(wrong)) << "another version";
  wrong = stored;
  wrong[1] = TicketKeySet::kMaxKeys + 1;
  EXPECT_FALSE(TicketKeySet::Parse(wrong)) << "more than there can be";
}

}  // namespace
}  // namespace handfast::sessions
