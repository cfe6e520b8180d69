// The client's last flight, spoilt in one way: messages skipped, repeated or in another order,
// ChangeCipherSpec and alerts where they do not belong, a wrong Finished.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/tls/connection/wrong_peer.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;

const FlightRecord kChangeCipherSpec{ContentType::kChangeCipherSpec, {1}, false};

// With client authentication, so that the flight is as long as it gets.
Outcome ShakeFlight(ProtocolVersion version, const std::function<void(Flight&)>& spoil) {
  ClientScript script = Sound(version);
  script.certificate = &FixedClient();
  script.edit_flight = spoil;
  return Shake(FixedKit(ClientAuth::kRequired), std::move(script));
}

Flight SoundFlight(ProtocolVersion version) {
  Flight sound;
  EXPECT_TRUE(Succeeded(ShakeFlight(version, [&](Flight& flight) { sound = flight; })));
  return sound;
}

bool IsHandshake(const FlightRecord& record) { return record.type == ContentType::kHandshake; }

// ---- T13: SMACK. RFC 8446 §4, RFC 5246 §7.3.

TEST(T13_Order, EachMessageSkipped) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const Flight sound = SoundFlight(version);
    // Without the last one nothing is wrong yet, nor is anybody connected.
    for (size_t i = 0; i + 1 < sound.size(); ++i) {
      if (version == kTls13 && !IsHandshake(sound[i])) continue;  // it means nothing there
      const auto outcome = ShakeFlight(version, [&](Flight& flight) {
        flight.erase(flight.begin() + static_cast<std::ptrdiff_t>(i));
      });
      ASSERT_TRUE(outcome.failure.has_value()) << Name(version) << " " << i;
      EXPECT_FALSE(outcome.established);
      EXPECT_EQ(outcome.failure->alert, static_cast<uint8_t>(Alert::kUnexpectedMessage)) << i;
    }
    const auto outcome = ShakeFlight(version, [](Flight& flight) { flight.pop_back(); });
    EXPECT_FALSE(outcome.established);
    EXPECT_FALSE(outcome.failure.has_value());
  }
}

TEST(T13_Order, EachMessageTwice) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const Flight sound = SoundFlight(version);
    for (size_t i = 0; i + 1 < sound.size(); ++i) {
      if (version == kTls13 && !IsHandshake(sound[i])) continue;  // see T12
      const auto outcome = ShakeFlight(version, [&](Flight& flight) {
        flight.insert(flight.begin() + static_cast<std::ptrdiff_t>(i), sound[i]);
      });
      ASSERT_TRUE(outcome.failure.has_value()) << Name(version) << " " << i;
      EXPECT_EQ(outcome.failure->alert, static_cast<uint8_t>(Alert::kUnexpectedMessage)) << i;
    }
  }
}

TEST(T13_Order, EachPairSwapped) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const Flight sound = SoundFlight(version);
    for (size_t i = 0; i + 1 < sound.size(); ++i) {
      if (version == kTls13 && !(IsHandshake(sound[i]) && IsHandshake(sound[i + 1]))) continue;
      const auto outcome =
          ShakeFlight(version, [&](Flight& flight) { std::swap(flight[i], flight[i + 1]); });
      ASSERT_TRUE(outcome.failure.has_value()) << Name(version) << " " << i;
      EXPECT_EQ(outcome.failure->alert, static_cast<uint8_t>(Alert::kUnexpectedMessage)) << i;
    }
  }
}

// A well-formed body for each type that has a form; none for the others.
Bytes AnyMessage(uint8_t type, const Flight& flight) {
  const size_t index = IndexOf(flight, static_cast<HandshakeType>(type));
  if (index < flight.size()) return flight[index].content;
  if (type == static_cast<uint8_t>(HandshakeType::kClientHello)) return HelloFor(kTls13).Message();
  Bytes message = {type, 0, 0, 0};
  if (type == static_cast<uint8_t>(HandshakeType::kKeyUpdate)) message = {type, 0, 0, 1, 0};
  if (type == static_cast<uint8_t>(HandshakeType::kEncryptedExtensions)) {
    message = {type, 0, 0, 2, 0, 0};
  }
  return message;
}

// States x types: at each place of the flight one message too many, of every type but the one
// that is due, under the keys of the place.
TEST(T13_Matrix, EveryTypeAtEveryPlace) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const Flight sound = SoundFlight(version);
    for (size_t place = 0; place < sound.size(); ++place) {
      const FlightRecord& due = sound[place];
      for (int type = 0; type < 256; type = type == 30 ? 253 : type + 1) {
        const bool legal = IsHandshake(due) && due.content[0] == type;
        // A ChangeCipherSpec means nothing in TLS 1.3: what is due comes behind it.
        const bool legal_later =
            version == kTls13 && !IsHandshake(due) && sound[place + 1].content[0] == type;
        if (legal || legal_later) continue;
        const auto outcome = ShakeFlight(version, [&](Flight& flight) {
          FlightRecord extra{ContentType::kHandshake, AnyMessage(static_cast<uint8_t>(type), sound),
                             version == kTls13 || due.encrypted};
          flight.insert(flight.begin() + static_cast<std::ptrdiff_t>(place), extra);
        });
        ASSERT_TRUE(outcome.failure.has_value()) << place << " " << type;
        ASSERT_EQ(outcome.failure->alert, static_cast<uint8_t>(Alert::kUnexpectedMessage))
            << Name(version) << " place " << place << " type " << type;
      }
    }
  }
}

// What must be encrypted, in the clear. RFC 8446 §5.2.
TEST(T13_Matrix, PlaintextInTls13) {
  const Flight sound = SoundFlight(kTls13);
  for (size_t i = 0; i < sound.size(); ++i) {
    if (!sound[i].encrypted) continue;
    const auto outcome = ShakeFlight(kTls13, [&](Flight& flight) { flight[i].encrypted = false; });
    EXPECT_TRUE(Refused(outcome, Reason::kBadRecordType, Alert::kUnexpectedMessage)) << i;
  }
}

// ---- T12: ChangeCipherSpec. RFC 8446 §5 and §D.4, RFC 5246 §7.1.

TEST(T12_ChangeCipherSpec, Tls13IgnoresTwo) {
  const Flight sound = SoundFlight(kTls13);  // it has one
  for (size_t place = 0; place < sound.size(); ++place) {
    for (size_t more : {1, 2}) {
      const auto outcome = ShakeFlight(kTls13, [&](Flight& flight) {
        flight.insert(flight.begin() + static_cast<std::ptrdiff_t>(place), more, kChangeCipherSpec);
      });
      if (more == 1) {
        EXPECT_TRUE(Succeeded(outcome)) << place;
      } else {
        EXPECT_TRUE(
            Refused(outcome, Reason::kUnexpectedChangeCipherSpec, Alert::kUnexpectedMessage))
            << place;
      }
    }
  }
}
TEST(T12_ChangeCipherSpec, Tls12TakesOneInItsPlace) {
  const Flight sound = SoundFlight(kTls12);
  for (size_t place = 0; place < sound.size(); ++place) {
    const auto outcome = ShakeFlight(kTls12, [&](Flight& flight) {
      flight.insert(flight.begin() + static_cast<std::ptrdiff_t>(place), kChangeCipherSpec);
    });
    EXPECT_TRUE(Refused(outcome, Reason::kUnexpectedChangeCipherSpec, Alert::kUnexpectedMessage))
        << place;
  }
}
// CVE-2014-0224: keys before there is a secret.
TEST(T12_ChangeCipherSpec, BeforeClientKeyExchange) {
  const auto outcome = ShakeFlight(kTls12, [](Flight& flight) {
    const auto at = std::find_if(flight.begin(), flight.end(),
                                 [](const FlightRecord& r) { return !IsHandshake(r); });
    std::rotate(flight.begin(), at, at + 1);
  });
  EXPECT_TRUE(Refused(outcome, Reason::kUnexpectedChangeCipherSpec, Alert::kUnexpectedMessage));
}
TEST(T12_ChangeCipherSpec, OtherContents) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    for (const Bytes& content : {Bytes{}, Bytes{0}, Bytes{2}, Bytes{1, 1}, Bytes{1, 0}}) {
      const auto outcome = ShakeFlight(version, [&](Flight& flight) {
        for (FlightRecord& record : flight) {
          if (!IsHandshake(record)) record.content = content;
        }
      });
      EXPECT_TRUE(Refused(outcome, Reason::kUnexpectedChangeCipherSpec, Alert::kUnexpectedMessage));
    }
  }
}
// RFC 8446 §5: a protected one.
TEST(T12_ChangeCipherSpec, Encrypted) {
  const auto outcome = ShakeFlight(kTls13, [](Flight& flight) {
    flight.insert(flight.begin() + 1, FlightRecord{ContentType::kChangeCipherSpec, {1}, true});
  });
  EXPECT_TRUE(Refused(outcome, Reason::kBadRecordType, Alert::kUnexpectedMessage));
}

// ---- Alerts. RFC 8446 §6, RFC 5246 §7.2.

Outcome WithAlert(ProtocolVersion version, size_t place, Bytes content, size_t times = 1) {
  return ShakeFlight(version, [&](Flight& flight) {
    const FlightRecord alert{ContentType::kAlert, content,
                             version == kTls13 || flight[place].encrypted};
    flight.insert(flight.begin() + static_cast<std::ptrdiff_t>(place), times, alert);
  });
}

// RFC 5246 §7.2.2.
TEST(T23_Alerts, FatalOnesAtEveryPlace) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const size_t places = SoundFlight(version).size();
    for (size_t place = 0; place < places; ++place) {
      const Outcome outcome = WithAlert(version, place, {2, 40});
      ASSERT_TRUE(outcome.failure.has_value());
      EXPECT_EQ(outcome.failure->reason, Reason::kPeerAlert);
      EXPECT_EQ(outcome.failure->origin, Origin::kPeerAlert);
      EXPECT_EQ(outcome.failure->alert, 40);
      // RFC 8446 §6.2: nothing more is sent.
      EXPECT_FALSE(outcome.alert_at_client.has_value());
    }
  }
}
TEST(T23_Alerts, CloseNotifyAtEveryPlace) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const size_t places = SoundFlight(version).size();
    for (size_t place = 0; place < places; ++place) {
      const Outcome outcome = WithAlert(version, place, {1, 0});
      ASSERT_TRUE(outcome.failure.has_value());
      EXPECT_EQ(outcome.failure->reason, Reason::kPeerClosed);
      EXPECT_EQ(outcome.failure->origin, Origin::kClosed);
      // RFC 5246 §7.2.1, RFC 8446 §6.1: it is answered in kind.
      EXPECT_EQ(outcome.alert_at_client, 0);
    }
  }
}
TEST(T18_Alerts, FourWarningsAndNoMore) {
  // In TLS 1.3 the level says nothing: user_canceled alone is no error.
  EXPECT_TRUE(Succeeded(WithAlert(kTls13, 0, {1, 90}, 4)));
  EXPECT_TRUE(Refused(WithAlert(kTls13, 0, {1, 90}, 5), Reason::kTooManyWarnings,
                      Alert::kUnexpectedMessage));
  EXPECT_TRUE(Succeeded(WithAlert(kTls12, 0, {1, 100}, 4)));
  EXPECT_TRUE(Refused(WithAlert(kTls12, 0, {1, 100}, 5), Reason::kTooManyWarnings,
                      Alert::kUnexpectedMessage));
}
// RFC 8446 §6.2: "regardless of the AlertLevel".
TEST(T18_Alerts, AWarningIsFatalInTls13) {
  EXPECT_EQ(WithAlert(kTls13, 0, {1, 112}).failure->reason, Reason::kPeerAlert);
  EXPECT_TRUE(Succeeded(WithAlert(kTls12, 0, {1, 112})));
}
TEST(T18_Alerts, OtherSizesAreDecodeErrors) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    for (const Bytes& content : {Bytes{2}, Bytes{2, 40, 0}, Bytes{1, 0, 1, 0}}) {
      EXPECT_TRUE(
          Refused(WithAlert(version, 0, content), Reason::kDecodeError, Alert::kDecodeError));
    }
  }
}
// RFC 8446 §5.4: one without content.
TEST(T18_Alerts, AnEmptyOneIsUnexpected) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    EXPECT_TRUE(
        Refused(WithAlert(version, 0, {}), Reason::kUnexpectedMessage, Alert::kUnexpectedMessage));
  }
}

// ---- T22: Finished. RFC 8446 §4.4.4, RFC 5246 §7.4.9.

TEST(T22_Finished, EveryBitFlipped) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const size_t bits = 8 * (SoundFlight(version).back().content.size() - kHandshakeHeaderSize);
    EXPECT_EQ(bits, version == kTls13 ? 256u : 96u);
    for (size_t bit = 0; bit < bits; ++bit) {
      ClientScript script = Sound(version);
      script.edit_flight = [&](Flight& flight) {
        flight.back().content[kHandshakeHeaderSize + bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      };
      ASSERT_TRUE(Refused(Shake(FixedKit(), std::move(script)), Reason::kFinishedMismatch,
                          Alert::kDecryptError))
          << bit;
    }
  }
}
TEST(T22_Finished, OfAnotherLength) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    for (int more : {-1, 1}) {
      const auto outcome = ShakeFlight(version, [&](Flight& flight) {
        Bytes& message = flight.back().content;
        message.resize(message.size() + static_cast<size_t>(more));
        message[3] = static_cast<uint8_t>(message.size() - kHandshakeHeaderSize);
      });
      EXPECT_TRUE(Refused(outcome, Reason::kDecodeError, Alert::kDecodeError));
    }
  }
}
// RFC 8446 §2; §E.5: nobody is told before that the handshake is done.
TEST(T22_Finished, ApplicationDataBeforeIt) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const size_t places = SoundFlight(version).size();
    for (size_t place = 0; place < places; ++place) {
      const auto outcome = ShakeFlight(version, [&](Flight& flight) {
        const FlightRecord data{ContentType::kApplicationData,
                                {'h', 'i'},
                                version == kTls13 || flight[place].encrypted};
        flight.insert(flight.begin() + static_cast<std::ptrdiff_t>(place), data);
      });
      EXPECT_TRUE(Refused(outcome, Reason::kUnexpectedApplicationData, Alert::kUnexpectedMessage))
          << place;
    }
  }
}

TEST(T22_Finished, NoKeysAreReleasedBeforeIt) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const ServerKit kit = FixedKit();
    ServerDriver server(kit);
    ScriptedClient client(Sound(version));
    Bytes to_client = server.Receive(client.Start());
    ASSERT_FALSE(to_client.empty());
    EXPECT_FALSE(ReleaseKeys(server.connection()).ok());
    while (!to_client.empty() && !server.established()) {
      to_client = server.Receive(client.Receive(to_client));
    }
    ASSERT_TRUE(server.established());
    EXPECT_TRUE(ReleaseKeys(server.connection()).ok()) << "the control";
  }
}

// ---- Records and messages. RFC 8446 §5.1.

TEST(T19_Records, EmptyHandshakeRecord) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const auto outcome = ShakeFlight(version, [&](Flight& flight) {
      flight.insert(flight.begin(), FlightRecord{ContentType::kHandshake, {}, version == kTls13});
    });
    EXPECT_TRUE(Refused(outcome, Reason::kEmptyHandshakeRecord, Alert::kUnexpectedMessage));
  }
}

// "Handshake messages MUST NOT span key changes."
TEST(T13_KeyChange, InsideAMessage) {
  const auto outcome13 = ShakeFlight(kTls13, [](Flight& flight) {
    flight.back().content.insert(flight.back().content.end(), {24, 0, 0, 1, 0});
  });
  EXPECT_TRUE(Refused(outcome13, Reason::kKeyChangeInsideMessage, Alert::kUnexpectedMessage));
  const auto outcome12 = ShakeFlight(kTls12, [](Flight& flight) {
    const size_t verify = IndexOf(flight, HandshakeType::kCertificateVerify);
    Append(flight[verify].content, flight.back().content);
  });
  EXPECT_TRUE(Refused(outcome12, Reason::kKeyChangeInsideMessage, Alert::kUnexpectedMessage));
}
TEST(T13_KeyChange, BehindAClientHello) {
  for (const Bytes& more : {Bytes{1}, Bytes{20, 0, 0, 0}}) {
    Bytes messages = HelloFor(kTls13).Message();
    Append(messages, more);
    const Outcome outcome = Feed(PlainRecord(ContentType::kHandshake, messages));
    ASSERT_TRUE(outcome.failure.has_value());
    EXPECT_EQ(outcome.failure->reason, Reason::kKeyChangeInsideMessage);
  }
}

// One message in many records, many messages in one: the negative control of the above.
TEST(T19_Records, FragmentsAndCoalescedMessages) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const bool encrypted = version == kTls13;
    EXPECT_TRUE(Succeeded(ShakeFlight(version, [&](Flight& flight) {
      Flight cut;
      for (const FlightRecord& record : flight) {
        if (!IsHandshake(record)) {
          cut.push_back(record);
          continue;
        }
        for (uint8_t byte : record.content) {
          cut.push_back({ContentType::kHandshake, {byte}, record.encrypted});
        }
      }
      flight = cut;
    })));
    EXPECT_TRUE(Succeeded(ShakeFlight(version, [&](Flight& flight) {
      Flight joined;
      FlightRecord all{ContentType::kHandshake, {}, encrypted};
      for (const FlightRecord& record : flight) {
        if (IsHandshake(record) && record.encrypted == encrypted) {
          Append(all.content, record.content);
        } else {
          if (version == kTls12 && !all.content.empty()) joined.push_back(all);
          all.content.clear();
          joined.push_back(record);
        }
      }
      if (!all.content.empty()) joined.push_back(all);
      flight = joined;
    })));
  }
}

// "if a handshake message is split over two or more records, there MUST NOT be any other records
// between them."
TEST(T19_Records, InterleavedTypes) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const bool encrypted = version == kTls13;
    const FlightRecord kBetween[] = {
        kChangeCipherSpec,
        {ContentType::kApplicationData, {'h', 'i'}, encrypted},
        {ContentType::kAlert, {1, 90}, encrypted},
    };
    for (const FlightRecord& between : kBetween) {
      // RFC 5246 has no such rule for alerts.
      if (version == kTls12 && between.type == ContentType::kAlert) continue;
      const auto outcome = ShakeFlight(version, [&](Flight& flight) {
        const auto at = static_cast<std::ptrdiff_t>(IndexOf(flight, HandshakeType::kCertificate));
        FlightRecord tail = flight[static_cast<size_t>(at)];
        tail.content.erase(tail.content.begin(), tail.content.begin() + 10);
        flight[static_cast<size_t>(at)].content.resize(10);
        flight.insert(flight.begin() + at + 1, {between, tail});
      });
      ASSERT_TRUE(outcome.failure.has_value()) << Name(between.type);
      EXPECT_EQ(outcome.failure->alert, static_cast<uint8_t>(Alert::kUnexpectedMessage))
          << Name(between.type);
    }
  }
}

TEST(T19_Records, SixteenMegabyteMessage) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const auto outcome = ShakeFlight(version, [&](Flight& flight) {
      const size_t at = IndexOf(flight, HandshakeType::kCertificate);
      flight[at].content[1] = 0xff;
    });
    EXPECT_TRUE(Refused(outcome, Reason::kMessageTooLong, Alert::kIllegalParameter));
  }
}

}  // namespace
}  // namespace handfast::tls::test
