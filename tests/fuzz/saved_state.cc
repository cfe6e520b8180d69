// The saved form of a connection: the input is what stands between its head and its digest. What
// loads, saves as the very same bytes; whatever is then done with it ends as it must.
#include <utility>

#include "tests/fuzz/conversation.h"
#include "tests/fuzz/target.h"
#include "tls/crypto/hash.h"

namespace handfast::fuzz {
namespace {

using namespace tls;  // NOLINT(google-build-using-namespace): a target speaks of nothing else

constexpr size_t kHead = 4;
constexpr size_t kDigest = 16;

// As Save makes it, of today's version.
Bytes FormOf(ByteView body) {
  static const Bytes fresh = *Save(Connection::Server({}));
  Bytes form = Copy(ByteView(fresh).first(kHead));
  Append(form, body);
  Append(form, Hash(HashAlgorithm::kSha256, form).view().first(kDigest));
  return form;
}

// Who trusts a root, so that a chain is judged.
const test::ServerKit& Kit() { return KitOf({.client_auth = ClientAuth::kOptional}); }

// One input, then the end of the transport.
void RunOn(const Bytes& form, const Input& input) {
  Result<Connection> loaded = Load(form);
  SeededRandomness randomness(/*recorded=*/false);
  const test::ServerKit& kit = Kit();
  const Context context{kit.profile, randomness, kit.ticket_keys.get(), kit.session_binding,
                        kit.now_unix_s};
  Stepped stepped = Step(*std::move(loaded), input, context);
  if (!Mutant("ends")) stepped = Step(std::move(stepped.connection), PeerClosed{}, context);
  Require(stepped.connection.failed() || stepped.connection.established(), "ends");
}

// An answer to the question that is open, or to one that is not.
Answer AnswerTo(const Connection& connection) {
  const std::optional<Question>& question = connection.question();
  return question ? test::AnswerFrom(Kit(), *question) : Answer(PeerVerdict{});
}

}  // namespace

void OnInput(ByteView input) {
  const Bytes form = FormOf(input);
  Result<Connection> loaded = Load(form);
  if (!loaded.ok()) return;
  Require(!loaded->failed(), "saves_the_same");
  const Answer answer = AnswerTo(*loaded);
  Result<Bytes> saved = Save(*std::move(loaded));
  Require(saved.ok(), "saves_the_same");
  if (Mutant("saves_the_same")) saved->back() ^= 1;
  Require(*saved == form, "saves_the_same");
  // An empty Finished, in the clear.
  constexpr uint8_t kFinished[] = {22, 3, 3, 0, 4, 20, 0, 0, 0};
  RunOn(form, FromPeer{kFinished});
  RunOn(form, answer);
  RunOn(form, Begin{});
}

}  // namespace handfast::fuzz
