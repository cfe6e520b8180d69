#include "server/store/redis_connection.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "server/store/redis_script.h"
#include "tls/base/secret_access.h"

namespace handfast::store {
namespace {

timeval ToTimeval(std::chrono::milliseconds time) {
  return {.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
}

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

std::string_view TextOf(const redisReply& reply) { return {reply.str, reply.len}; }

// "WRONGPASS" of "WRONGPASS invalid username-password pair".
std::string_view CodeOf(const redisReply& error) {
  const std::string_view text = TextOf(error);
  const auto end =
      std::find_if(text.begin(), text.end(), [](char c) { return c < 'A' || c > 'Z'; });
  return text.substr(0, static_cast<size_t>(end - text.begin()));
}

bool IsError(const redisReply& reply) { return reply.type == REDIS_REPLY_ERROR; }

bool IsText(const redisReply& reply) { return reply.type == REDIS_REPLY_STRING; }

}  // namespace

std::string Describe(const RedisOptions& options) {
  const std::string at = options.unix_socket.empty() ? absl::StrCat(options.host, ":", options.port)
                                                     : absl::StrCat("unix:", options.unix_socket);
  return absl::StrCat("Redis at ", at, ", database ", options.database);
}

void RedisConnection::FreeReply::operator()(redisReply* reply) const { freeReplyObject(reply); }

RedisConnection::RedisConnection(redisContext* context, std::string where)
    : context_(context), where_(std::move(where)) {}

RedisConnection::~RedisConnection() {
  if (context_ != nullptr) redisFree(context_);
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Open(
    const RedisOptions& options) {
  const timeval timeout = ToTimeval(options.connect_timeout);
  redisContext* const context =
      options.unix_socket.empty()
          ? redisConnectWithTimeout(options.host.c_str(), options.port, timeout)
          : redisConnectUnixWithTimeout(options.unix_socket.c_str(), timeout);
  std::unique_ptr<RedisConnection> connection(new RedisConnection(context, Describe(options)));
  if (context == nullptr || context->err != 0) return connection->Broken("connecting");
  if (redisSetTimeout(context, ToTimeval(options.command_timeout)) != REDIS_OK) {
    return connection->Broken("setting its timeout");
  }
  if (absl::Status status = connection->SetUp(options); !status.ok()) return status;
  return connection;
}

absl::Status RedisConnection::SetUp(const RedisOptions& options) {
  if (!options.password.empty()) {
    const std::string_view password = tls::AsText(tls::SecretAccess::Open(options.password));
    const Reply reply = Command(std::array<std::string_view, 2>{"AUTH", password});
    if (reply == nullptr) return Broken("authenticating");
    if (IsError(*reply)) {
      return absl::FailedPreconditionError(
          absl::StrCat("store: ", where_, ": it refused the password (", View(CodeOf(*reply)),
                       "): compare the one configured here with its requirepass"));
    }
  }
  if (options.database != 0) {
    const std::string number = absl::StrCat(options.database);
    const Reply reply = Command(std::array<std::string_view, 2>{"SELECT", number});
    if (reply == nullptr) return Broken("choosing the database");
    if (IsError(*reply)) return StatusOf(*reply);
  }
  const Reply reply = Command(std::array<std::string_view, 3>{"SCRIPT", "LOAD", kRedisScript});
  if (reply == nullptr) return Broken("loading the script");
  if (IsError(*reply)) return StatusOf(*reply);
  script_id_ = static_cast<std::string>(TextOf(*reply));
  return absl::OkStatus();
}

RedisConnection::Reply RedisConnection::Command(std::span<const std::string_view> words) {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  void* const reply =
      redisCommandArgv(context_, static_cast<int>(texts.size()), texts.data(), sizes.data());
  return Reply(static_cast<redisReply*>(reply));
}

bool RedisConnection::IsAlive() const {
  pollfd socket{.fd = context_->fd, .events = POLLIN | POLLRDHUP, .revents = 0};
  return poll(&socket, 1, 0) == 0;
}

absl::Status RedisConnection::Broken(std::string_view doing) const {
  const char* const why = context_ == nullptr ? "out of memory" : context_->errstr;
  return absl::UnavailableError(
      absl::StrCat("store: ", where_, ": ", View(doing), ": ", why, ": see whether it runs there"));
}

absl::Status RedisConnection::StatusOf(const redisReply& error) const {
  const std::string_view code = CodeOf(error);
  const auto is = [code](std::initializer_list<std::string_view> codes) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
  };
  const std::string said = absl::StrCat("store: ", where_, ": it answered ", View(code), ": ");
  if (is({"NOAUTH", "NOPERM", "WRONGPASS"})) {
    return absl::FailedPreconditionError(said +
                                         "give this service a password that may run scripts");
  }
  if (is({"LOADING", "MASTERDOWN", "READONLY", "MISCONF", "BUSY", "CLUSTERDOWN"})) {
    return absl::UnavailableError(said + "it is not ready to be written to; see its log");
  }
  if (is({"OOM"})) {
    return absl::ResourceExhaustedError(said + "raise its maxmemory, with policy noeviction");
  }
  return absl::InternalError(said + "see its log, and whether the store's keys are its own");
}

absl::StatusOr<ScriptReply> RedisConnection::Parse(const redisReply& reply) const {
  if (IsError(reply)) return StatusOf(reply);
  const bool shaped = reply.type == REDIS_REPLY_ARRAY && reply.elements >= 2 &&
                      reply.elements <= 3 && IsText(*reply.element[0]) &&
                      reply.element[1]->type == REDIS_REPLY_INTEGER &&
                      (reply.elements == 2 || IsText(*reply.element[2]));
  if (!shaped) {
    return absl::InternalError(absl::StrCat("store: ", where_, ": not what the script answers"));
  }
  ScriptReply parsed;
  parsed.outcome = static_cast<std::string>(TextOf(*reply.element[0]));
  parsed.epoch = static_cast<uint64_t>(reply.element[1]->integer);
  if (reply.elements == 3) parsed.bytes = tls::Copy(tls::AsBytes(TextOf(*reply.element[2])));
  return parsed;
}

absl::StatusOr<ScriptReply> RedisConnection::Run(std::span<const std::string> keys,
                                                 std::span<const std::string> arguments) {
  const std::string count = absl::StrCat(keys.size());
  std::vector<std::string_view> words{"EVALSHA", script_id_, count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  Reply reply = Command(words);
  if (reply != nullptr && IsError(*reply) && CodeOf(*reply) == "NOSCRIPT") {
    words[0] = "EVAL";
    words[1] = kRedisScript;
    reply = Command(words);
  }
  if (reply == nullptr) return Broken("waiting for its answer");
  return Parse(*reply);
}

}  // namespace handfast::store
