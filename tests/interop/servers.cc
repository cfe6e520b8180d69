#include "tests/interop/servers.h"

#include "tests/interop/pki.h"
#include "tests/interop/tcp_server.h"

namespace handfast::tls::test {
namespace {

using handfast::test::Process;

enum class Asks : uint8_t {
  kLine,  // answered with ReplyTo
  kEcho,  // answered with itself
  kHttp,
};

// A server's own words, on its output or in its answer; empty: it has none.
struct Words {
  Asks asks;
  std::string_view ready;  // empty: it listens from the start
  std::string_view resumed;
  std::string_view protocol;
  std::string_view certificate;
  std::string_view answer = {};   // to HTTP
  std::string_view refusal = {};  // in HTTP
};

Words WordsOf(Stack stack) {
  switch (stack) {
    case Stack::kOpenssl:
      return {Asks::kLine, "ACCEPT", "Reused session-id", "ALPN protocols selected: http/1.1",
              "subject=CN = client"};
    case Stack::kGnutls:
      return {Asks::kEcho, "...done", "This is a resumed session", "Application protocol: http/1.1",
              "Subject: CN=client"};
    case Stack::kNss:
      return {Asks::kHttp, "About to call accept",  "1 stateless resumes",
              "",          "subject DN: CN=client", "EOF"};
    case Stack::kNginx:
      return {Asks::kHttp,
              "using the",
              "reused=r",
              "alpn=http/1.1",
              "CN=client",
              "version=TLSv1",
              "400 No required SSL certificate"};
    case Stack::kHaproxy:
      return {Asks::kHttp, "", "reused=1", "alpn=http/1.1", "CN=client", "version=TLSv1"};
    default:
      return {Asks::kLine, "listening", "resumed=1", "alpn=http/1.1", "CN=client"};
  }
}

std::string_view WordFor(Fact fact, const Words& words) {
  switch (fact) {
    case Fact::kResumed:
      return words.resumed;
    case Fact::kProtocol:
      return words.protocol;
    case Fact::kCertificate:
      return words.certificate;
  }
  return "";
}

}  // namespace

ForeignServer::ForeignServer(const Post& post) : post_(post) {
  const std::string_view ready = WordsOf(post.stack).ready;
  const int inherited = ready.empty() ? port_.ListenForHeir() : -1;
  process_ = std::make_unique<Process>(CommandOf(post, port_.port(), inherited));
  if (inherited >= 0) port_.EndOfHeirs();
  ready_ = ready.empty() || process_->WaitForOutput(ready, kPatience);
}

std::string ForeignServer::Request(int number) const {
  if (WordsOf(post_.stack).asks != Asks::kHttp) {
    return "hello from afar " + std::to_string(number) + "\n";
  }
  return std::string("GET / HTTP/1.1\r\nHost: ") + kServerName + "\r\nConnection: close\r\n\r\n";
}

std::string ForeignServer::Reply(int number) const {
  const Words words = WordsOf(post_.stack);
  if (words.asks == Asks::kHttp) return std::string(words.answer);
  return words.asks == Asks::kEcho ? Request(number) : ReplyTo(Request(number));
}

bool ForeignServer::Answer(int number) {
  if (post_.stack != Stack::kOpenssl) return true;
  return process_->WaitForOutput(Request(number), kPatience) && process_->Write(Reply(number));
}

bool ForeignServer::CanSay(Fact fact) const { return !WordFor(fact, WordsOf(post_.stack)).empty(); }

bool ForeignServer::Says(Fact fact, const std::string& content) const {
  const std::string_view word = WordFor(fact, WordsOf(post_.stack));
  return content.find(word) != std::string::npos || output().find(word) != std::string::npos;
}

bool ForeignServer::SaysInTime(Fact fact, const std::string& content) {
  return Says(fact, content) ||
         process_->WaitForOutput(WordFor(fact, WordsOf(post_.stack)), kPatience);
}

bool ForeignServer::Refuses(const std::string& content) const {
  const std::string_view refusal = WordsOf(post_.stack).refusal;
  return !refusal.empty() && content.find(refusal) != std::string::npos;
}

}  // namespace handfast::tls::test
