#include "tests/support/redis_server.h"

#include <hiredis/hiredis.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/support/patience.h"

namespace handfast::test {
namespace {

void Require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "redis-server: %s\n", what.c_str());
  std::abort();
}

std::string TextOf(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_NIL:
      return "(nil)";
    case REDIS_REPLY_ERROR:
      return "(error) " + std::string(reply.str, reply.len);
    case REDIS_REPLY_ARRAY: {
      std::string lines;
      for (size_t i = 0; i < reply.elements; ++i) lines += TextOf(*reply.element[i]) + "\n";
      return lines;
    }
    default:
      return std::string(reply.str, reply.len);
  }
}

}  // namespace

bool RedisServer::IsInstalled() { return !FindProgram("redis-server").empty(); }

RedisServer::RedisServer(std::vector<std::string> settings) : settings_(std::move(settings)) {
  Start();
}

void RedisServer::Start() {
  std::vector<std::string> command{FindProgram("redis-server"),
                                   "--port",
                                   "0",
                                   "--unixsocket",
                                   socket(),
                                   "--dir",
                                   folder_.path(),
                                   "--save",
                                   "",
                                   "--appendonly",
                                   "no"};
  command.insert(command.end(), settings_.begin(), settings_.end());
  process_ = std::make_unique<Process>(command);
  Require(process_->WaitForOutput("ready to accept connections", kPatience), process_->output());
}

void RedisServer::Kill() {
  process_->Signal(SIGKILL);
  Require(process_->WaitForExit(kPatience).has_value(), "it does not end");
}

std::string RedisServer::Do(const std::vector<std::string>& words) const {
  redisContext* const context = redisConnectUnix(socket().c_str());
  Require(context != nullptr && context->err == 0, "no connection");
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  void* const answer =
      redisCommandArgv(context, static_cast<int>(texts.size()), texts.data(), sizes.data());
  Require(answer != nullptr, "no answer");
  std::string text = TextOf(*static_cast<redisReply*>(answer));
  freeReplyObject(answer);
  redisFree(context);
  return text;
}

std::vector<std::string> RedisServer::EntryNames(std::string_view space) const {
  const std::string prefix = "handfast/" + std::string(space) + "/";
  const std::string lines = Do({"KEYS", prefix + "*"});
  std::vector<std::string> names;
  for (size_t at = 0, end; (end = lines.find('\n', at)) != std::string::npos; at = end + 1) {
    std::string name = lines.substr(at, end - at);
    const bool is_entry = name != prefix + "incarnation" && name != prefix + "epoch" &&
                          name.find("/mark/") == std::string::npos;
    if (is_entry) names.push_back(name);
  }
  return names;
}

}  // namespace handfast::test
