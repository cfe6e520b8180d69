// P10 of the goals: records of 16 KiB of application data. What the record layer costs, as a thin
// client with released keys runs it, beside AES-GCM of libcrypto alone (nonce, header as associated
// data, plaintext, tag; one context) and libssl's SSL_write into nothing, in interleaved rounds of
// one run. Opening is measured beside AES-GCM alone.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "tests/bench/require.h"
#include "tests/bench/stopwatch.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/crypto/test_ca.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/record/record_layer.h"

namespace handfast::bench {
namespace {

using tls::AeadDirection;
using tls::Bytes;
using tls::ByteView;
using tls::CipherSuite;
using tls::RecordKeys;
using tls::test::LibsslClient;
using tls::test::LibsslOptions;
using tls::test::LibsslServer;
using tls::test::LibsslServerContext;

constexpr size_t kRecord = tls::kMaxPlaintext;
// Records of one span: long enough for the clock, short enough not to be interrupted.
constexpr int kBatch = 32;

// AES-GCM and nothing else.
class Raw {
 public:
  Raw(const EVP_CIPHER* cipher, bool seal) : context_(EVP_CIPHER_CTX_new()) {
    const std::array<uint8_t, 32> key{};
    Require(EVP_CipherInit_ex(context_, cipher, nullptr, key.data(), nullptr, seal) == 1, "a key");
  }
  ~Raw() { EVP_CIPHER_CTX_free(context_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  void Seal(ByteView plaintext, uint8_t* out) {
    Begin();
    Require(Update(out, plaintext) &&
                EVP_CipherFinal_ex(context_, out + plaintext.size(), &written_) == 1 &&
                EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, 16, out + plaintext.size()),
            "libcrypto seals");
  }
  void Open(std::span<uint8_t> text_and_tag) {
    Begin();
    const std::span<uint8_t> text = text_and_tag.first(text_and_tag.size() - 16);
    Require(
        EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, 16, text_and_tag.last(16).data()) &&
            Update(text.data(), text) &&
            EVP_CipherFinal_ex(context_, text_and_tag.data(), &written_) == 1,
        "libcrypto opens");
  }

 private:
  void Begin() {
    const std::array<uint8_t, 12> nonce{};
    const std::array<uint8_t, 5> header{};
    Require(EVP_CipherInit_ex(context_, nullptr, nullptr, nullptr, nonce.data(), -1) == 1 &&
                Update(nullptr, header),
            "libcrypto begins");
  }
  bool Update(uint8_t* out, ByteView in) {
    return EVP_CipherUpdate(context_, out, &written_, in.data(), static_cast<int>(in.size())) == 1;
  }
  EVP_CIPHER_CTX* context_;
  int written_ = 0;
};

RecordKeys Keys(CipherSuite suite, uint8_t fill, AeadDirection direction) {
  const size_t size = tls::DigestSize(tls::FindSuite(suite)->hash);
  return *RecordKeys::Create(
      tls::TrafficKeys13{suite, *tls::HashSecret::From(Bytes(size, fill)), 0}, direction);
}

tls::RecordLayer Layer(CipherSuite suite, uint8_t writes, uint8_t reads) {
  return tls::RecordLayer(tls::RecordSealer(Keys(suite, writes, AeadDirection::kSeal)),
                          tls::RecordOpener(Keys(suite, reads, AeadDirection::kOpen)), {});
}

// libssl's server after a handshake, with nobody at the other end.
class Libssl {
 public:
  explicit Libssl(const char* suite) {
    const auto leaf = tls::test::TestCa::Create("root").Issue({.dns = {"example.test"}});
    context_.reset(LibsslServerContext(leaf));
    server_.emplace(context_.get());
    LibsslOptions options;
    options.cipher_suites = suite;
    LibsslClient client(options);
    Bytes to_server = client.Receive({});
    while (!to_server.empty()) to_server = client.Receive(server_->Receive(to_server));
    Require(server_->done(), "libssl's handshake");
    SSL_set0_wbio(server_->ssl(), BIO_new(BIO_s_null()));
  }
  void Seal(ByteView plaintext) {
    Require(SSL_write(server_->ssl(), plaintext.data(), static_cast<int>(plaintext.size())) ==
                static_cast<int>(plaintext.size()),
            "libssl writes");
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  std::optional<LibsslServer> server_;
};

template <class Work>
double Micros(Work work) {
  Stopwatch watch;
  watch.Start();
  for (int i = 0; i < kBatch; ++i) work(i);
  watch.Stop();
  return watch.micros() / kBatch;
}

// What the sides took, in us a record, and our ratios, each of its own round.
struct Sides {
  std::vector<double> ours, raw, libssl, to_raw, to_libssl;
};

double MegabytesASecond(const std::vector<double>& micros) { return kRecord / Median(micros); }

void PrintSealing(const char* name, const Sides& sides) {
  std::printf("| P10 seal, %s | %.0f | %.0f | %.0f | %.2f | %.2f | >= 0.95 raw, >= 1.0 libssl |\n",
              name, MegabytesASecond(sides.ours), MegabytesASecond(sides.raw),
              MegabytesASecond(sides.libssl), Median(sides.to_raw), Median(sides.to_libssl));
}

void MeasureSealing(const char* name, CipherSuite suite, const EVP_CIPHER* cipher, int rounds) {
  const Bytes plaintext(kRecord, 'x');
  tls::RecordLayer layer = Layer(suite, 1, 2);
  Libssl libssl(name);
  Raw raw(cipher, /*seal=*/true);
  Bytes sealed(kRecord + 16);
  Bytes out(layer.SealedRoom(kRecord));
  Sides sides;
  for (int round = -1; round < rounds; ++round) {
    const double a = Micros([&](int) { Require(layer.SealInto(plaintext, out).ok(), "a record"); });
    const double b = Micros([&](int) { raw.Seal(plaintext, sealed.data()); });
    const double c = Micros([&](int) { libssl.Seal(plaintext); });
    if (round < 0) continue;  // the first warms up
    sides.ours.push_back(a);
    sides.raw.push_back(b);
    sides.libssl.push_back(c);
    sides.to_raw.push_back(b / a);
    sides.to_libssl.push_back(c / a);
  }
  PrintSealing(name, sides);
}

void MeasureOpening(const char* name, CipherSuite suite, const EVP_CIPHER* cipher, int rounds) {
  const Bytes plaintext(kRecord, 'x');
  tls::RecordLayer peer = Layer(suite, 2, 1);
  tls::RecordLayer layer = Layer(suite, 1, 2);
  Raw sealer(cipher, /*seal=*/true);
  Raw opener(cipher, /*seal=*/false);
  std::vector<ByteView> pieces;
  Bytes answers;
  std::vector<Bytes> records(kBatch), texts(kBatch, Bytes(kRecord + 16));
  std::vector<double> ours, raw, ratios;
  for (int round = -1; round < rounds; ++round) {
    // Both decrypt in place, so each record is made anew, just before and out of the clock's sight.
    for (Bytes& record : records) {
      record.clear();
      Require(peer.Seal(plaintext, record).ok(), "a record");
    }
    const double a = Micros([&](int i) {
      pieces.clear();
      Require(!layer.Open(records[static_cast<size_t>(i)], pieces, answers).failure, "it opens");
    });
    for (Bytes& text : texts) sealer.Seal(plaintext, text.data());
    const double b = Micros([&](int i) { opener.Open(texts[static_cast<size_t>(i)]); });
    if (round < 0) continue;
    ours.push_back(a);
    raw.push_back(b);
    ratios.push_back(b / a);
  }
  std::printf("| P10 open, %s | %.0f | %.0f | - | %.2f | - | >= 0.95 raw |\n", name,
              MegabytesASecond(ours), MegabytesASecond(raw), Median(ratios));
}

void Measure(int rounds) {
  std::printf(
      "| record layer, 16 KiB records, MB/s | ours | AES-GCM alone | libssl | /raw | /libssl | "
      "goal |\n|---|---|---|---|---|---|---|\n");
  const struct {
    const char* name;
    CipherSuite suite;
    const EVP_CIPHER* cipher;
  } rows[] = {
      {"TLS_AES_128_GCM_SHA256", CipherSuite::kTlsAes128GcmSha256, EVP_aes_128_gcm()},
      {"TLS_AES_256_GCM_SHA384", CipherSuite::kTlsAes256GcmSha384, EVP_aes_256_gcm()},
  };
  for (const auto& row : rows) MeasureSealing(row.name, row.suite, row.cipher, rounds);
  for (const auto& row : rows) MeasureOpening(row.name, row.suite, row.cipher, rounds);
}

}  // namespace
}  // namespace handfast::bench

int main(int argc, char** argv) { handfast::bench::Measure(argc > 1 ? std::atoi(argv[1]) : 301); }
