// The exposition: names, labels, values, and what is never in a label.
#include "server/observe/metrics.h"

#include <set>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "server/observe/process_stats.h"

namespace handfast::observe {
namespace {

using tls::Reason;

FinishedHandshake Good() {
  return {.role = "server",
          .version = tls::ProtocolVersion::kTls13,
          .cipher_suite = tls::CipherSuite::kTlsAes128GcmSha256,
          .group = tls::NamedGroup::kX25519,
          .signature_scheme = tls::SignatureScheme::kEcdsaSecp256r1Sha256,
          .failure = std::nullopt,
          .duration_s = 0.0007};
}

// The value of the sample that begins so; "" where there is none.
std::string Sample(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) return line.substr(name.size() + 1);
  }
  return "";
}

TEST(Metrics, CountsRecordsByDirection) {
  Metrics metrics("1.2.3", {});
  EXPECT_EQ(Sample(metrics.Text(), "handfast_records_total{direction=\"sealed\"}"), "0");
  metrics.RecordsDone(RecordDirection::kSealed, 2, 20'000);
  metrics.RecordsDone(RecordDirection::kSealed, 1, 5);
  metrics.RecordsDone(RecordDirection::kOpened, 4, 7);
  const std::string text = metrics.Text();
  EXPECT_EQ(Sample(text, "handfast_records_total{direction=\"sealed\"}"), "3");
  EXPECT_EQ(Sample(text, "handfast_record_bytes_total{direction=\"sealed\"}"), "20005");
  EXPECT_EQ(Sample(text, "handfast_records_total{direction=\"opened\"}"), "4");
  EXPECT_EQ(Sample(text, "handfast_record_bytes_total{direction=\"opened\"}"), "7");
}

TEST(Metrics, CountsHandshakesByWhatWasNegotiated) {
  Metrics metrics("1.2.3", {});
  for (int i = 0; i < 3; ++i) {
    metrics.HandshakeStarted();
    metrics.HandshakeFinished(Good());
  }
  metrics.HandshakeStarted();
  metrics.HandshakeFinished({.failure = Reason::kNoCommonCipherSuite, .duration_s = 0.0001});
  metrics.HandshakeStarted();
  FinishedHandshake as_client = Good();
  as_client.role = "client";
  as_client.signature_scheme = std::nullopt;
  metrics.HandshakeFinished(as_client);
  metrics.HandshakeStarted();
  const std::string text = metrics.Text();
  EXPECT_EQ(
      Sample(text,
             "handfast_handshakes_total{cipher_suite=\"TLS_AES_128_GCM_SHA256\","
             "group=\"x25519\",reason=\"none\",result=\"success\",resumed=\"no\",role=\"client\","
             "signature_scheme=\"none\",version=\"TLSv1.3\"}"),
      "1");
  EXPECT_EQ(
      Sample(text,
             "handfast_handshakes_total{cipher_suite=\"TLS_AES_128_GCM_SHA256\","
             "group=\"x25519\",reason=\"none\",result=\"success\",resumed=\"no\",role=\"server\","
             "signature_scheme=\"ecdsa_secp256r1_sha256\",version=\"TLSv1.3\"}"),
      "3");
  EXPECT_EQ(
      Sample(text,
             "handfast_handshakes_total{cipher_suite=\"none\",group=\"none\","
             "reason=\"no_common_cipher_suite\",result=\"failure\",resumed=\"no\",role=\"server\","
             "signature_scheme=\"none\",version=\"none\"}"),
      "1");
  EXPECT_EQ(Sample(text, "handfast_live_handshakes"), "1");
  EXPECT_EQ(Sample(text,
                   "handfast_handshake_duration_seconds_bucket{result=\"success\",role=\"server\","
                   "le=\"0.001\"}"),
            "3");
  EXPECT_EQ(Sample(text,
                   "handfast_handshake_duration_seconds_bucket{result=\"success\",role=\"server\","
                   "le=\"0.0005\"}"),
            "0");
  EXPECT_EQ(Sample(text, "handfast_build_info{version=\"1.2.3\"}"), "1");
}

TEST(Metrics, TellsResumedFromFull) {
  Metrics metrics("v", {});
  FinishedHandshake handshake = Good();
  metrics.HandshakeFinished(handshake);
  handshake.resumed = true;
  for (int i = 0; i < 2; ++i) metrics.HandshakeFinished(handshake);
  const std::string text = metrics.Text();
  for (const auto& [resumed, count] : {std::pair("no", "1"), std::pair("yes", "2")}) {
    EXPECT_EQ(Sample(text,
                     "handfast_handshakes_total{cipher_suite=\"TLS_AES_128_GCM_SHA256\","
                     "group=\"x25519\",reason=\"none\",result=\"success\",resumed=\"" +
                         std::string(resumed) +
                         "\",role=\"server\",signature_scheme=\"ecdsa_secp256r1_sha256\","
                         "version=\"TLSv1.3\"}"),
              count);
  }
}

TEST(Metrics, SaysWhenTicketKeysRotated) {
  MetricSources sources;
  sources.ticket_keys_rotated = [] { return int64_t{1'800'000'000}; };
  const std::string text = Metrics("v", sources).Text();
  EXPECT_EQ(Sample(text, "handfast_ticket_key_rotation_timestamp_seconds"), "1800000000");
  EXPECT_EQ(Metrics("v", {}).Text().find("handfast_ticket_key"), std::string::npos);
}

TEST(Metrics, EveryReasonHasItsSeries) {
  Metrics metrics("v", {});
  for (int i = 0; i < tls::kReasonCount; ++i) {
    FinishedHandshake failed;
    failed.failure = static_cast<Reason>(i);
    metrics.HandshakeFinished(failed);
  }
  const std::string text = metrics.Text();
  for (int i = 0; i < tls::kReasonCount; ++i) {
    const std::string label(tls::Describe(static_cast<Reason>(i)).label);
    EXPECT_NE(text.find("reason=\"" + label + "\""), std::string::npos) << label;
  }
}

TEST(Metrics, PrivateKeyOperationsByTypeOfKey) {
  Metrics metrics("v", {});
  metrics.PrivateKeyUsed(
      {.scheme = tls::SignatureScheme::kEcdsaSecp256r1Sha256, .ok = true, .duration_s = 0.00004});
  metrics.PrivateKeyUsed(
      {.scheme = tls::SignatureScheme::kEcdsaSecp384r1Sha384, .ok = true, .duration_s = 0.0002});
  metrics.PrivateKeyUsed(
      {.scheme = tls::SignatureScheme::kRsaPssRsaeSha256, .ok = false, .duration_s = 0.001});
  const std::string text = metrics.Text();
  const std::string name = "handfast_private_key_operation_duration_seconds_count";
  EXPECT_EQ(Sample(text, name + "{key_type=\"ecdsa\",operation=\"sign\",result=\"success\"}"), "2");
  EXPECT_EQ(Sample(text, name + "{key_type=\"rsa\",operation=\"sign\",result=\"failure\"}"), "1");
}

TEST(Metrics, RpcsRefusalsAndQueues) {
  Metrics metrics("v", {.served_not_after = nullptr, .queue_length = [](std::string_view lane) {
                          return lane == "rsa" ? 7.0 : 2.0;
                        }});
  metrics.RpcFinished("/handfast.v1.KeyService/GetKey", "NOT_FOUND");
  metrics.RpcFinished("", "UNIMPLEMENTED");
  metrics.Refused("QUEUE_LIMIT");
  metrics.WorkDone("rsa", 0.02, 0.001);
  const std::string text = metrics.Text();
  EXPECT_EQ(Sample(text,
                   "handfast_rpcs_total{code=\"NOT_FOUND\","
                   "method=\"/handfast.v1.KeyService/GetKey\"}"),
            "1");
  EXPECT_EQ(Sample(text, "handfast_rpcs_total{code=\"UNIMPLEMENTED\",method=\"other\"}"), "1");
  EXPECT_EQ(Sample(text, "handfast_admission_refusals_total{reason=\"QUEUE_LIMIT\"}"), "1");
  EXPECT_EQ(Sample(text, "handfast_queue_length{lane=\"rsa\"}"), "7");
  EXPECT_EQ(Sample(text, "handfast_queue_length{lane=\"general\"}"), "2");
  EXPECT_EQ(Sample(text, "handfast_queue_wait_seconds_bucket{lane=\"rsa\",le=\"0.025\"}"), "1");
  EXPECT_EQ(Sample(text, "handfast_queue_run_seconds_bucket{lane=\"rsa\",le=\"0.001\"}"), "1");
}

TEST(Metrics, TheEarliestEndOfACertificate) {
  std::vector<int64_t> served = {2'000'000'000, 1'900'000'000, 2'100'000'000};
  Metrics metrics("v", {.served_not_after = [&] { return served; }, .queue_length = nullptr});
  EXPECT_EQ(std::stod(Sample(metrics.Text(), "handfast_certificate_not_after_timestamp_seconds")),
            1'900'000'000);
  EXPECT_EQ(Sample(metrics.Text(), "handfast_served_certificates"), "3");
  served.clear();
  EXPECT_EQ(Sample(metrics.Text(), "handfast_certificate_not_after_timestamp_seconds"), "")
      << "no sample rather than 0, which is long past";
  EXPECT_EQ(Sample(metrics.Text(), "handfast_served_certificates"), "0");
}

TEST(Metrics, HasHelpTypeAndOurPrefix) {
  Metrics metrics("v", {.served_not_after = [] { return std::vector<int64_t>{1}; },
                        .queue_length = [](std::string_view) { return 0.0; }});
  metrics.HandshakeFinished(Good());
  const std::string text = metrics.Text();
  std::istringstream lines(text);
  std::set<std::string> with_help;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) with_help.insert(line.substr(7, line.find(' ', 7) - 7));
    if (!line.starts_with("# TYPE ")) continue;
    const std::string name = line.substr(7, line.find(' ', 7) - 7);
    EXPECT_TRUE(name.starts_with("handfast_") || name.starts_with("process_")) << name;
    EXPECT_TRUE(with_help.count(name)) << name;
    EXPECT_EQ(line.ends_with(" counter"), name.ends_with("_total")) << name;
  }
  EXPECT_GE(with_help.size(), 10U);
}

TEST(Metrics, NoLabelTellsATenantANameOrAKey) {
  Metrics metrics("v", {});
  metrics.HandshakeFinished(Good());
  metrics.WorkDone("general", 0, 0);
  const std::string text = metrics.Text();
  for (const char* label : {"tenant=", "server_name=", "sni=", "credential=", "key=", "peer="}) {
    EXPECT_EQ(text.find(label), std::string::npos) << label;
  }
}

TEST(Metrics, CountsRightUnderThreads) {
  Metrics metrics("v", {});
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        metrics.HandshakeStarted();
        FinishedHandshake handshake = Good();
        if (i % 5 == 0) handshake.failure = Reason::kPeerClosed;
        metrics.HandshakeFinished(handshake);
        if (i % 100 == 0) metrics.Text();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = metrics.Text();
  EXPECT_EQ(Sample(text, "handfast_live_handshakes"), "0");
  EXPECT_EQ(Sample(text,
                   "handfast_handshake_duration_seconds_count{result=\"success\","
                   "role=\"server\"}"),
            "1600");
}

TEST(ProcessStats, ReadsTheKernelsLine) {
  std::string line = "42 (an odd) name) S";
  for (int field = 4; field <= 52; ++field) line += " " + std::to_string(field * 100);
  const auto stat = ParseProcessStat(line, 100, 4096);
  ASSERT_TRUE(stat.has_value());
  EXPECT_DOUBLE_EQ(stat->cpu_s, 14 + 15);
  EXPECT_DOUBLE_EQ(stat->start_after_boot_s, 22);
  EXPECT_DOUBLE_EQ(stat->virtual_bytes, 2300);
  EXPECT_DOUBLE_EQ(stat->resident_bytes, 2400 * 4096.0);
  EXPECT_FALSE(ParseProcessStat("", 100, 4096).has_value());
  EXPECT_FALSE(ParseProcessStat("42 (x) S 1 2 3", 100, 4096).has_value());
}

TEST(ProcessStats, OfThisProcess) {
  Metrics metrics("v", {});
  const std::string text = metrics.Text();
  EXPECT_GT(std::stod(Sample(text, "process_resident_memory_bytes")), 1e6);
  EXPECT_GT(std::stod(Sample(text, "process_open_fds")), 2);
  EXPECT_GT(std::stod(Sample(text, "process_max_fds")), 2);
  EXPECT_GT(std::stod(Sample(text, "process_start_time_seconds")), 1.5e9);
  EXPECT_GE(std::stod(Sample(text, "process_cpu_seconds_total")), 0);
}

}  // namespace
}  // namespace handfast::observe
