#include "server/custody/database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include <sqlite3.h>

namespace handfast::custody {
namespace {

// SQLite's own words for the code; never its message, which may quote a statement.
absl::Status ToStatus(int code) {
  const std::string words = absl::StrCat("custody database: ", sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return absl::OkStatus();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(words);
    case SQLITE_MISUSE:
    case SQLITE_ERROR:
    case SQLITE_RANGE:
      return absl::InternalError(words);
    default:
      return absl::UnavailableError(words);
  }
}

// Creates the file before SQLite does, so that it never exists with another mode: SQLite gives the
// mode of the database to its journal.
absl::Status CreatePrivately(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("custody database ", path));
  struct stat info {};
  const int result = fstat(fd, &info);
  close(fd);
  if (result != 0) return absl::ErrnoToStatus(errno, absl::StrCat("custody database ", path));
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrFormat("custody database %s can be reached by others (mode %04o): chmod 600 %s",
                        path, info.st_mode & 07777, path));
  }
  return absl::OkStatus();
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::Bind(std::string_view text) {
  if (code_ == SQLITE_OK) {
    // A null pointer would bind NULL rather than no text.
    const char* data = text.empty() ? "" : text.data();
    code_ = sqlite3_bind_text64(statement_.get(), next_parameter_++, data, text.size(),
                                SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  return *this;
}

Statement& Statement::Bind(tls::ByteView bytes) {
  if (code_ == SQLITE_OK) {
    // A null pointer would bind NULL rather than no bytes.
    const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
    code_ = sqlite3_bind_blob64(statement_.get(), next_parameter_++, data, bytes.size(),
                                SQLITE_TRANSIENT);
  }
  return *this;
}

Statement& Statement::Bind(int64_t number) {
  if (code_ == SQLITE_OK) {
    code_ = sqlite3_bind_int64(statement_.get(), next_parameter_++, number);
  }
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (code_ != SQLITE_OK) return ToStatus(code_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ToStatus(code);
}

absl::Status Statement::Run() { return Step().status(); }

int64_t Statement::Number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(size)};
}

tls::Bytes Statement::Blob(int column) const {
  const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {bytes, bytes + size};
}

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

absl::StatusOr<Database> Database::Open(const std::string& path) {
  absl::Status status = CreatePrivately(path);
  if (!status.ok()) return status;
  sqlite3* connection = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &connection,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(connection);
  if (code != SQLITE_OK) return ToStatus(code);
  status = database.TakeFile(path);
  if (!status.ok()) return status;
  return database;
}

absl::Status Database::TakeFile(const std::string& path) {
  // One process a file: custody's index in memory would not see another's changes. FULL: what was
  // acknowledged survives a power cut.
  absl::Status status = Execute(
      "PRAGMA locking_mode = EXCLUSIVE;"
      "PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = FULL;"
      "PRAGMA foreign_keys = ON;"
      "PRAGMA secure_delete = ON;"
      "PRAGMA trusted_schema = OFF;"
      "BEGIN EXCLUSIVE; COMMIT;");
  if (absl::IsUnavailable(status)) {
    return absl::UnavailableError(absl::StrCat("custody database ", path,
                                               " cannot be taken: another process has it open, "
                                               "or its file system cannot lock (",
                                               status.message(), ")"));
  }
  return status;
}

Statement Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  return Statement(statement, code);
}

absl::Status Database::Execute(const std::string& sql) {
  return ToStatus(sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

absl::StatusOr<Transaction> Transaction::Begin(Database& database) {
  absl::Status status = database.Execute("BEGIN IMMEDIATE");
  if (!status.ok()) return status;
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // Where the roll-back fails too, the next BEGIN reports it.
  if (database_ != nullptr) database_->Execute("ROLLBACK").IgnoreError();
}

absl::Status Transaction::Commit() {
  absl::Status status = database_->Execute("COMMIT");
  if (status.ok()) database_ = nullptr;
  return status;
}

}  // namespace handfast::custody
