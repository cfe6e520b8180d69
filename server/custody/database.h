// SQLite as custody uses it: one connection that owns its file, statements, transactions. SQL lives
// with its callers; nothing here knows the schema.
#ifndef HANDFAST_SERVER_CUSTODY_DATABASE_H_
#define HANDFAST_SERVER_CUSTODY_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tls/base/bytes.h"

struct sqlite3;
struct sqlite3_stmt;

namespace handfast::custody {

// One execution of one statement. Errors of binding come out of Step.
class Statement {
 public:
  // Parameters in their order, ?1 first. Text and bytes are copied.
  Statement& Bind(std::string_view text);
  Statement& Bind(tls::ByteView bytes);
  Statement& Bind(int64_t number);

  // True: a row is there to be read; false: no more.
  absl::StatusOr<bool> Step();
  // For statements without rows.
  absl::Status Run();

  // Of the current row; columns count from 0.
  int64_t Number(int column) const;
  std::string Text(int column) const;
  tls::Bytes Blob(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement, int code) : statement_(statement), code_(code) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int code_;
  int next_parameter_ = 1;
};

// Not thread-safe: its owner locks.
class Database {
 public:
  // Opens the file, creating it with mode 0600, and takes it for this process alone, until the
  // value is destroyed. Each transaction is on the disk when it is committed.
  // FAILED_PRECONDITION where others can reach the file; UNAVAILABLE where it cannot be opened or
  // another process has it; DATA_LOSS where it is no database.
  static absl::StatusOr<Database> Open(const std::string& path);

  // Never fails: a broken statement fails at its Step.
  Statement Prepare(std::string_view sql);
  // Several statements without parameters or rows.
  absl::Status Execute(const std::string& sql);

 private:
  friend class Transaction;
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  explicit Database(sqlite3* connection) : connection_(connection) {}
  absl::Status TakeFile(const std::string& path);
  std::unique_ptr<sqlite3, Close> connection_;
};

// All or nothing; rolled back unless committed.
class Transaction {
 public:
  // Not to be nested.
  static absl::StatusOr<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  absl::Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  // null once it is over
};

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_DATABASE_H_
