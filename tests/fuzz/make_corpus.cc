// Writes the corpora of all targets: handshakes and saved forms that are the same in every run,
// laid out as each target reads them. `bazel run //tests/fuzz:make_corpus` writes them into the
// source tree; elsewhere, name a folder.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "tests/fuzz/conversation.h"
#include "tests/fuzz/ticket_keys.h"
#include "tests/tls/connection/scenario.h"
#include "tests/tls/record/record_maker.h"
#include "tls/record/protection.h"
#include "tls/wire/messages.h"

namespace handfast::fuzz {
namespace {

using namespace tls;        // NOLINT(google-build-using-namespace)
using namespace tls::test;  // NOLINT(google-build-using-namespace)

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void Add(const std::string& target, const std::string& name, ByteView head, ByteView rest) {
    const std::filesystem::path path = folder_ / target;
    std::filesystem::create_directories(path);
    std::ofstream out(path / name, std::ios::binary);
    out << AsText(head) << AsText(rest);
    if (!out) {
      std::fprintf(stderr, "cannot write %s\n", (path / name).c_str());
      std::exit(1);
    }
  }

 private:
  std::filesystem::path folder_;
};

// ---- Messages and extensions, as they passed in a traced conversation.

void AddExtensions(Corpus& corpus, const std::string& name, uint8_t place,
                   const Extensions& extensions) {
  for (const Extension& extension : extensions) {
    const auto type = static_cast<uint16_t>(extension.type);
    const uint8_t head[] = {static_cast<uint8_t>(type >> 8), static_cast<uint8_t>(type), place};
    corpus.Add("extension", name + "_" + std::to_string(type), head, extension.data);
  }
}

void AddMessage(Corpus& corpus, const std::string& scenario, const TracedMessage& traced) {
  const ByteView message = traced.bytes;
  if (traced.content_type == ContentType::kAlert) {
    const uint8_t alert = 0x7f;
    return corpus.Add("message", "alert", {&alert, 1}, message);
  }
  if (traced.content_type != ContentType::kHandshake) return;
  uint8_t selector = message[0];
  const ByteView body = message.subspan(kHandshakeHeaderSize);
  const bool form13 = traced.version == ProtocolVersion::kTls13 &&
                      (selector == 4 || selector == 11 || selector == 13);
  if (form13) selector |= 0x80;
  const std::string name =
      scenario + (traced.from_peer ? "_from_" : "_to_") + std::to_string(selector);
  corpus.Add("message", name, {&selector, 1}, body);
  const auto type = static_cast<HandshakeType>(message[0]);
  if (type == HandshakeType::kClientHello) {
    corpus.Add("client_hello", scenario, {}, body);
    if (const auto hello = Parse<ClientHello>(body)) {
      AddExtensions(corpus, "client_hello", 0, hello->extensions);
    }
    for (const uint8_t cut : {0x01, 0x40}) {
      const uint8_t fragment[] = {0, cut};
      corpus.Add("reassembly", scenario + "_" + std::to_string(cut), fragment, message);
    }
  }
  if (type == HandshakeType::kServerHello) {
    if (const auto hello = Parse<ServerHello>(body)) {
      const bool retry = Equal(hello->random, kHelloRetryRequestRandom);
      AddExtensions(corpus, retry ? "retry" : "server_hello", retry ? 2 : 1, hello->extensions);
    }
  }
}

// A hello that is refused for each reason that its extensions can give.
void AddWrongHellos(Corpus& corpus) {
  const auto add = [&](const std::string& name, const HelloFields& hello) {
    corpus.Add("client_hello", name, {}, ByteView(hello.Message()).subspan(kHandshakeHeaderSize));
  };
  HelloFields hello = HelloFor(ProtocolVersion::kTls13);
  hello.extensions.push_back(hello.extensions.front());
  add("duplicate", hello);
  hello = HelloFor(ProtocolVersion::kTls13);
  hello.SetHex(ExtensionType::kServerName, "000700000461002e62");
  add("bad_name", hello);
  hello = HelloFor(ProtocolVersion::kTls12);
  hello.has_extensions = false;
  add("no_extensions", hello);
}

// ---- Whole conversations.

struct Side {
  std::string name;
  Setup setup;
  Bytes from_peer = {};
};

uint8_t ChoiceOf(const Setup& setup) {
  return static_cast<uint8_t>((setup.as_client ? 1 : 0) |
                              static_cast<uint8_t>(setup.client_auth) << 1 |
                              (setup.tickets ? 8 : 0));
}

void AddStream(Corpus& corpus, const Side& side) {
  for (const uint8_t cut : {0x03, 0x90}) {
    const uint8_t head[] = {ChoiceOf(side.setup), cut, 0};
    corpus.Add("connection", side.name + "_" + std::to_string(cut), head, side.from_peer);
  }
  // A peer that has more to say.
  const uint8_t head[] = {ChoiceOf(side.setup), 0x80, 0};
  corpus.Add("connection", side.name + "_begun", head,
             ByteView(side.from_peer).first(side.from_peer.size() / 4));
  const uint8_t start = 1;
  corpus.Add("deframer", side.name, {&start, 1}, side.from_peer);
}

void AddForm(Corpus& corpus, const std::string& name, Connection connection) {
  const std::string state(connection.state_name());
  const Result<Bytes> saved = Save(std::move(connection));
  if (!saved.ok()) return;
  const ByteView form(*saved);
  corpus.Add("saved_state", name + "_" + state, {}, form.subspan(4, form.size() - 4 - 16));
}

void AddScenario(Corpus& corpus, const Scenario& scenario) {
  const Recording recording = Record(KitFor(scenario), ScriptFor(scenario), {.trace = true});
  Replayer server(scenario, recording);
  for (const Event& event : recording.events) {
    // The others send the same messages.
    if (scenario.client_auth != ClientAuth::kNone) {
      for (const TracedMessage& message : event.output.messages) {
        AddMessage(corpus, scenario.name, message);
      }
    }
    const Bytes saved = *Save(server.Take());
    AddForm(corpus, scenario.name, *Load(saved));
    server.Set(*Load(saved));
    server.Repeat(event);
  }
  AddForm(corpus, scenario.name, server.Take());
  AddStream(corpus,
            {scenario.name, {.client_auth = scenario.client_auth}, recording.AllFromClient()});
}

// Our own client and server, with the randomness that the targets know as the recorded one.
void AddOwnClient(Corpus& corpus, const std::string& name, ClientAuth client_auth, bool tickets) {
  SeededRandomness randomness(/*recorded=*/true);
  const Setup as_server{.client_auth = client_auth, .tickets = tickets};
  const Setup as_client{.as_client = true, .tickets = tickets};
  ServerKit server_kit = KitOf(as_server);
  if (!tickets) server_kit.ticket_keys.reset();
  ServerDriver server(server_kit, {.alpn = {"h2"}, .trace = true}, randomness);
  const ServerKit& kit = KitOf(as_client);
  const Context context{kit.profile, randomness, tickets ? kit.ticket_keys.get() : nullptr,
                        kit.session_binding, kit.now_unix_s};
  const ConnectionOptions options{.alpn = {"h2"}, .server_name = "example.test", .trace = true};
  const auto start = [&] {
    return tickets ? Connection::Client(options, CorpusSession()) : Connection::Client(options);
  };
  AddForm(corpus, name + "_client", start());
  std::optional<Connection> client = start();
  Side at_server{name + "_server", as_server};
  Side at_client{name + "_client", as_client};
  std::optional<Input> input = Begin{};
  Bytes from_server;
  while (input) {
    Stepped stepped = Step(*std::move(client), *input, context);
    client = std::move(stepped.connection);
    for (const TracedMessage& message : stepped.output.messages) {
      AddMessage(corpus, name, message);
    }
    const Bytes saved = *Save(*std::move(client));
    AddForm(corpus, at_client.name, *Load(saved));
    client = *Load(saved);
    Append(at_server.from_peer, stepped.output.to_peer);
    input.reset();
    if (stepped.output.question) {
      input = AnswerFrom(kit, *stepped.output.question);
      continue;
    }
    from_server = server.Receive(stepped.output.to_peer);
    Append(at_client.from_peer, from_server);
    if (!from_server.empty() && !client->established()) input = FromPeer{from_server};
  }
  if (!client->established() || server.established() == nullptr) {
    std::fprintf(stderr, "%s: not established\n", name.c_str());
    std::exit(1);
  }
  AddStream(corpus, at_server);
  AddStream(corpus, at_client);
}

// ---- Records and tickets.

void AddRecords(Corpus& corpus) {
  using enum CipherSuite;
  constexpr CipherSuite kSuites[] = {kTlsAes128GcmSha256,        kTlsAes256GcmSha384,
                                     kTlsChaCha20Poly1305Sha256, kEcdheEcdsaAes128GcmSha256,
                                     kEcdheRsaAes256GcmSha384,   kEcdheRsaChaCha20Poly1305Sha256};
  const Bytes inner = {'h', 'e', 'l', 'l', 'o', 22, 0, 0, 0};
  for (uint8_t i = 0; i < std::size(kSuites); ++i) {
    const uint8_t sequence = 5;
    const uint8_t sealed[] = {i, 0, sequence, 22, 0x40, 0, 0, i};
    const std::string name = "suite" + std::to_string(i);
    corpus.Add("record_open", name + "_sealed", sealed, inner);
    const uint8_t forged[] = {i, 1, sequence, 22, 0x40, 0, 0, 0};
    const bool tls13 = FindSuite(kSuites[i])->version == ProtocolVersion::kTls13;
    const Bytes record = tls13 ? MakeRecord13(kSuites[i], sequence, inner)
                               : MakeRecord12(kSuites[i], sequence, sequence, 22, inner);
    corpus.Add("record_open", name + "_forged", forged,
               ByteView(record).subspan(kRecordHeaderSize));
  }
  const uint8_t small[] = {0, 0, 0, 22, 0, 64, 1, 0};
  corpus.Add("record_open", "overflow", small, Bytes(70, 23));
  corpus.Add("record_open", "all_padding", small, Bytes(20, 0));
  corpus.Add("record_open", "wrong_type", small, Bytes(20, 20));
}

void AddTickets(Corpus& corpus) {
  const Bytes fields = *FromHex(
      "0000"  // the bit to flip
      "1301"  // the suite
      "20"
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"  // the secret
      "0c"
      "6578616d706c652e74657374"  // the name
      "046c656166"                // the credential
      "00010002"
      "0e10"
      "01"
      "0003308201");
  const uint8_t ours = 1;
  corpus.Add("ticket", "ours", {&ours, 1}, fields);
  Session session = CorpusSession();
  session.ticket.clear();
  Result<TicketSealer> sealer = TicketKeysOf(kCorpusKey).SealerFor(kBinding);
  const Result<SealedTicket> ticket = sealer->Seal(std::move(session));
  const uint8_t forged = 0;
  corpus.Add("ticket", "of_another_key", {&forged, 1}, ticket->bytes);
}

void MakeAll(const std::filesystem::path& folder) {
  Corpus corpus(folder);
  for (const Scenario& scenario : Scenarios()) AddScenario(corpus, scenario);
  AddOwnClient(corpus, "own", ClientAuth::kNone, false);
  AddOwnClient(corpus, "own_auth", ClientAuth::kRequired, false);
  AddOwnClient(corpus, "own_resumed", ClientAuth::kNone, true);
  AddWrongHellos(corpus);
  AddRecords(corpus);
  AddTickets(corpus);
}

}  // namespace
}  // namespace handfast::fuzz

int main(int argc, char** argv) {
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  std::filesystem::path folder;
  if (argc == 2) {
    folder = argv[1];
  } else if (workspace != nullptr) {
    folder = std::filesystem::path(workspace) / "tests/fuzz/corpus";
  } else {
    std::fprintf(stderr, "usage: make_corpus FOLDER\n");
    return 2;
  }
  handfast::fuzz::MakeAll(folder);
  return 0;
}
