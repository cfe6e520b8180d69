// The t-tests of `./dev soak`: does the time of a check tell where its input is wrong? Two classes
// of inputs, both refused: wrong in the first byte, wrong in the last; under AES-CBC with little
// padding and with much; a premaster secret that is good and one that is none, which are answered
// alike. |t| must stay below 4.5, and code that leaks must be found.
//
// usage: timing [SAMPLES]
#include <x86intrin.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/constant_time/cbc.h"
#include "tests/constant_time/finished.h"
#include "tests/constant_time/leaky.h"
#include "tests/constant_time/premaster.h"
#include "tests/constant_time/welch.h"
#include "tls/crypto/hkdf.h"

namespace handfast::constant_time {
namespace {

using tls::Bytes;
using tls::ByteView;

// The value of the t-test literature: one wrong alarm in 10^5.
constexpr double kThreshold = 4.5;

// One call on an input of the class; what goes before and after it is not measured.
struct Timed {
  std::string name;
  std::function<uint64_t(bool second)> measure;
};

uint64_t Ticks(const std::function<void()>& call) {
  unsigned core = 0;
  _mm_lfence();
  const uint64_t begin = __rdtsc();
  call();
  const uint64_t end = __rdtscp(&core);
  _mm_lfence();
  return end - begin;
}

// Keeps the optimiser from dropping a result that nobody looks at.
void Keep(bool result) {
  [[maybe_unused]] static volatile bool kept;
  kept = result;
}

Timed TimedCompare(const std::string& name, bool (*equal)(ByteView, ByteView)) {
  // The inputs of both classes lie in one place, so that their addresses tell nothing.
  return {name, [equal, known = Bytes(32, 0x5e), input = Bytes(32)](bool second) mutable {
            input = known;
            input[second ? 31 : 0] ^= 1;
            return Ticks([&] { Keep(equal(input, known)); });
          }};
}

Timed TimedFinished(const std::string& name, tls::EngineState (*waits)(bool), const Bytes& right) {
  return {name, [waits, right, message = right](bool second) mutable {
            message = right;
            message[second ? message.size() - 1 : 4] ^= 1;
            tls::EngineState state = waits(/*secret=*/false);
            return Ticks([&] {
              Keep(std::holds_alternative<tls::Failed>(StepOn(std::move(state), message).next));
            });
          }};
}

// Lucky13: padding that leaves much to be hashed, and padding that leaves little; both with a MAC
// that is wrong.
std::vector<Bytes> PaddedPair() {
  constexpr size_t kSize = 512;
  return {PaddedBlocks(kSize, 0, true), PaddedBlocks(kSize, 255, true)};
}

Timed TimedCbc(const std::string& name, tls::CbcAlgorithm algorithm) {
  const CbcCase of{algorithm};
  std::vector<Bytes> bodies;
  for (const Bytes& blocks : PaddedPair()) bodies.push_back(CbcBodyOf(of, blocks));
  // Shared, for a function may be copied and an opener not.
  const auto opener = std::make_shared<tls::CbcHmac>(CbcOpener(of, /*secret=*/false));
  return {name, [bodies, opener, body = bodies[0]](bool second) mutable {
            body = bodies[second ? 1 : 0];
            return Ticks([&] { Keep(OpenCbc(*opener, body).ok()); });
          }};
}

Timed TimedUnpad() {
  return {"control_unpad", [pair = PaddedPair(), input = PaddedPair()[0]](bool second) mutable {
            input = pair[second ? 1 : 0];
            return Ticks([&] { Keep(LeakyUnpad(input)); });
          }};
}

// A block that is good, and one that is wrong in its second byte; each of many, for the time of the
// arithmetic may depend on the ciphertext, which is no secret.
Timed TimedPremaster() {
  std::vector<Bytes> classes[2];
  for (uint8_t filler = 1; filler <= 64; ++filler) {
    Bytes block = GoodBlock(filler);
    classes[0].push_back(EncryptedBlock(block));
    block[1] = 1;
    classes[1].push_back(EncryptedBlock(block));
  }
  const Bytes some = classes[0][0];
  return {"rsa_premaster", [good = classes[0], bad = classes[1], input = some,
                            next = size_t{0}](bool second) mutable {
            input = (second ? bad : good)[next++ % good.size()];
            return Ticks([&] { Keep(RsaKey().RecoverPremaster(kClientVersion, input).ok()); });
          }};
}

double Measure(const Timed& timed, size_t samples) {
  // The classes come in a random order, or whatever drifts would be taken for a difference.
  std::mt19937 coin(1);  // NOLINT(cert-msc51-cpp): the same order in every run
  std::vector<Sample> taken;
  taken.reserve(samples);
  for (size_t i = 0; i < samples; ++i) {
    const bool second = (coin() & 1) != 0;
    const uint64_t ticks = timed.measure(second);
    // The first ones warm up the caches.
    if (i >= samples / 100) taken.push_back({second, ticks});
  }
  return LargestT(taken);
}

bool Run(size_t samples) {
  const Timed controls[] = {TimedCompare("control_compare", LeakyEqual), TimedUnpad()};
  const Timed checks[] = {
      TimedCompare("secret_compare", tls::ConstantTimeEqual),
      TimedFinished("finished13", ServerWaits13, RightFor13()),
      TimedFinished("finished12", ServerWaits12, RightFor12()),
      TimedFinished("client_finished13", ClientWaits13, RightFor13()),
      TimedCbc("cbc_sha1", {16, tls::CbcMac::kHmacSha1}),
      TimedCbc("cbc_sha256", {16, tls::CbcMac::kHmacSha256}),
      TimedCbc("cbc_sha384", {32, tls::CbcMac::kHmacSha384}),
      TimedPremaster(),
  };
  bool good = true;
  for (const Timed& control : controls) {
    const double found = Measure(control, samples);
    std::printf("%-20s |t| = %7.2f (must be found)\n", control.name.c_str(), found);
    good = good && found >= kThreshold;
  }
  for (const Timed& check : checks) {
    const double t = Measure(check, samples);
    std::printf("%-20s |t| = %7.2f%s\n", check.name.c_str(), t, t < kThreshold ? "" : "  LEAKS");
    good = good && t < kThreshold;
  }
  return good;
}

}  // namespace
}  // namespace handfast::constant_time

int main(int argc, char** argv) {
  constexpr size_t kSamples = 100000;
  const size_t samples = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : kSamples;
  return handfast::constant_time::Run(samples) ? 0 : 1;
}
