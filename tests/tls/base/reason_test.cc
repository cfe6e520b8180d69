// The table behind every failure: complete, consistent, and fit for metric labels.
#include "tls/base/reason.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace handfast::tls {
namespace {

template <class Body>
void ForEachReason(Body body) {
  for (int i = 0; i < kReasonCount; ++i) body(Describe(static_cast<Reason>(i)));
}

TEST(Reason, EachHasItsRow) {
  for (int i = 0; i < kReasonCount; ++i) {
    EXPECT_EQ(static_cast<int>(Describe(static_cast<Reason>(i)).reason), i);
  }
}

TEST(Reason, LabelsAreUniqueAndPlain) {
  std::set<std::string_view> seen;
  ForEachReason([&](const ReasonInfo& info) {
    EXPECT_TRUE(seen.insert(info.label).second) << info.label;
    EXPECT_FALSE(info.label.empty());
    EXPECT_EQ(info.label.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << info.label;
  });
}

TEST(Reason, EachNamesItsSection) {
  ForEachReason([](const ReasonInfo& info) {
    EXPECT_TRUE(info.rfc.starts_with("RFC ")) << info.label;
    EXPECT_TRUE(info.rfc.find("§") != std::string_view::npos ||
                info.rfc.find("Appendix") != std::string_view::npos)
        << info.label;
  });
}

TEST(Reason, OurOwnFailuresHaveAnAlertAndOthersNone) {
  ForEachReason([](const ReasonInfo& info) {
    if (info.origin == Origin::kLocal) {
      EXPECT_TRUE(info.alert13 && info.alert12) << info.label;
    }
    if (info.origin == Origin::kPeerAlert || info.origin == Origin::kClosed) {
      EXPECT_FALSE(info.alert13 || info.alert12) << info.label;
    }
  });
}

TEST(Reason, EachAlertHasAName) {
  ForEachReason([](const ReasonInfo& info) {
    for (const std::optional<Alert>& alert : {info.alert13, info.alert12}) {
      if (!alert) continue;
      EXPECT_NE(AlertName(static_cast<uint8_t>(*alert)), "unknown") << info.label;
    }
  });
}

TEST(Reason, NoWarningEndsAHandshake) {
  // close_notify and user_canceled close; they say nothing of a failure.
  ForEachReason([](const ReasonInfo& info) {
    for (const std::optional<Alert>& alert : {info.alert13, info.alert12}) {
      EXPECT_NE(alert, Alert::kCloseNotify) << info.label;
      EXPECT_NE(alert, Alert::kUserCanceled) << info.label;
    }
  });
}

TEST(Reason, AlertsOfTls13AloneStayThere) {
  // RFC 8446 §6.2 introduces both; a TLS 1.2 peer does not know them.
  ForEachReason([](const ReasonInfo& info) {
    EXPECT_NE(info.alert12, Alert::kMissingExtension) << info.label;
    EXPECT_NE(info.alert12, Alert::kCertificateRequired) << info.label;
    // RFC 8446 §6: no_renegotiation is not an alert of TLS 1.3.
    EXPECT_NE(info.alert13, Alert::kNoRenegotiation) << info.label;
  });
}

TEST(Alert, NamesAreTheRfcs) {
  EXPECT_EQ(AlertName(0), "close_notify");
  EXPECT_EQ(AlertName(40), "handshake_failure");
  EXPECT_EQ(AlertName(51), "decrypt_error");
  EXPECT_EQ(AlertName(120), "no_application_protocol");
  EXPECT_EQ(AlertName(1), "unknown");
  EXPECT_EQ(AlertName(255), "unknown");
}

}  // namespace
}  // namespace handfast::tls
