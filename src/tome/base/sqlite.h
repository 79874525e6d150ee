// SQLite for Tome: a connection, a prepared statement and a transaction, as thin RAII over the C
// interface. Every failure becomes an Error whose message begins with the database's path. Its code
// is kCorrupt for a damaged file, kIo for a full disk or a failed read, kUnavailable where another
// process holds the write lock too long, and kCancelled after Interrupt.
//
// A Database and its statements belong to one thread at a time. Interrupt may come from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tome {

class Statement;

class Database {
 public:
  // How long a connection waits for a lock, and since when it has waited.
  struct BusyWait {
    std::chrono::milliseconds longest{};
    std::stop_token stop;
    std::chrono::steady_clock::time_point since{};
  };

  // Opens or creates the file at `path` (":memory:" keeps the database in memory). Where another
  // connection holds a lock, the database waits for at most `busy_wait`, and gives up when `stop`
  // is requested.
  static Database Open(const std::filesystem::path& path, std::chrono::milliseconds busy_wait,
                       std::stop_token stop);

  // Runs one or more statements that give no rows.
  void Exec(const std::string& sql);

  // Compiles one statement. The statement must not outlive the database.
  Statement Prepare(std::string_view sql);

  // Returns the integer that a one-value query (a PRAGMA, a COUNT) gives.
  int64_t QueryInt(std::string_view sql);

  int64_t LastInsertId() const;
  int64_t ChangedRows() const;
  // Returns whether a transaction is open on this connection.
  bool InTransaction() const;
  void Interrupt();

  // Says what to do once a damaged file was moved away: "add the documents again". Errors repeat it.
  void set_remedy(std::string_view remedy) { remedy_ = remedy; }

  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }

  // Throws the Error for a result code of the C interface. `what` says what could not be done.
  [[noreturn]] void Fail(int result, std::string_view what) const;

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  Database() = default;

  std::unique_ptr<BusyWait> busy_wait_;  // SQLite holds its address
  std::unique_ptr<sqlite3, Closer> handle_;
  std::string path_;
  std::string remedy_;
};

// A compiled statement. Parameters are numbered from 1 and columns from 0, as in SQL and in SQLite.
class Statement {
 public:
  // Text and blobs are not copied: they must live until the next Step, Reset or Bind of that
  // parameter.
  Statement& Bind(int parameter, int64_t value);
  Statement& Bind(int parameter, double value);
  Statement& Bind(int parameter, std::string_view text);
  Statement& BindBlob(int parameter, std::string_view bytes);
  Statement& BindNull(int parameter);
  // Binds an address for a function of the program that runs inside SQLite. `type` tells that
  // function what the address points to.
  Statement& BindPointer(int parameter, void* pointer, const char* type);

  // Returns true where a row is ready. Returns false at the end, where the statement is also reset.
  bool Step();
  // Runs a statement that gives no rows.
  void Run();
  void Reset();

  int64_t Int(int column) const;
  double Real(int column) const;
  bool IsNull(int column) const;
  // The views are valid until the next Step or Reset.
  std::string_view Text(int column) const;
  std::string_view Blob(int column) const;

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(const Database* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  void Check(int result) const;

  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

// A transaction begins with BEGIN IMMEDIATE. It is rolled back at the end of the scope unless
// Commit was called.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  void Commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace tome
