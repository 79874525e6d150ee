#include "tome/base/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "tome/base/error.h"

namespace tome {

void Database::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

namespace {

// SQLite calls this while a lock is taken, after `attempt` earlier calls for the same lock. Zero
// gives up.
int WaitForLock(void* context, int attempt) {
  auto* wait = static_cast<Database::BusyWait*>(context);
  const auto now = std::chrono::steady_clock::now();
  if (attempt == 0) wait->since = now;
  if (wait->stop.stop_requested() || now - wait->since > wait->longest) return 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(std::min(attempt + 1, 20)));
  return 1;
}

}  // namespace

Database Database::Open(const std::filesystem::path& path, std::chrono::milliseconds busy_wait,
                        std::stop_token stop) {
  Database database;
  database.busy_wait_ = std::make_unique<BusyWait>();
  database.busy_wait_->longest = busy_wait;
  database.busy_wait_->stop = std::move(stop);
  database.path_ = path.string();
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.handle_.reset(handle);
  if (result != SQLITE_OK) database.Fail(result, "cannot be opened");
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_handler(handle, WaitForLock, database.busy_wait_.get());
  return database;
}

void Database::Fail(int result, std::string_view what) const {
  const int primary = result & 0xFF;
  const int system = handle_ ? sqlite3_system_errno(handle_.get()) : 0;
  const std::string reason = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(result);
  const auto message = [&](std::string_view advice) {
    return fmt::format("{}: {}: {}{}", path_, what, reason, advice);
  };
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    throw Error(Code::kCorrupt, message(fmt::format("; the file is damaged: move it away{}{}",
                                                    remedy_.empty() ? "" : " and ", remedy_)));
  }
  if (primary == SQLITE_FULL ||
      (primary == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT))) {
    throw Error(Code::kIo, message("; free some space and try again, nothing was changed"));
  }
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    if (busy_wait_->stop.stop_requested()) throw Error(Code::kCancelled, "interrupted");
    throw Error(Code::kUnavailable, message("; another process is writing to it, try again later"));
  }
  if (primary == SQLITE_INTERRUPT) throw Error(Code::kCancelled, "interrupted");
  if (primary == SQLITE_NOMEM) throw Error(Code::kOutOfMemory, message(""));
  if (primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY || primary == SQLITE_PERM) {
    throw Error(Code::kIo, message("; check the folder and its permissions, or set TOME_HOME"));
  }
  throw Error(Code::kIo, message(""));
}

void Database::Exec(const std::string& sql) {
  const int result = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) Fail(result, "cannot be changed");
}

Statement Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) Fail(result, "cannot be read");
  return Statement(this, statement);
}

int64_t Database::QueryInt(std::string_view sql) {
  Statement statement = Prepare(sql);
  return statement.Step() ? statement.Int(0) : 0;
}

int64_t Database::LastInsertId() const { return sqlite3_last_insert_rowid(handle_.get()); }

int64_t Database::ChangedRows() const { return sqlite3_changes64(handle_.get()); }

bool Database::InTransaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

void Database::Interrupt() { sqlite3_interrupt(handle_.get()); }

void Statement::Check(int result) const {
  if (result != SQLITE_OK) database_->Fail(result, "cannot be read");
}

Statement& Statement::Bind(int parameter, int64_t value) {
  Check(sqlite3_bind_int64(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::Bind(int parameter, double value) {
  Check(sqlite3_bind_double(statement_.get(), parameter, value));
  return *this;
}
Statement& Statement::Bind(int parameter, std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  Check(sqlite3_bind_text64(statement_.get(), parameter, text.empty() ? "" : text.data(),
                            text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::BindBlob(int parameter, std::string_view bytes) {
  Check(sqlite3_bind_blob64(statement_.get(), parameter, bytes.empty() ? "" : bytes.data(),
                            bytes.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::BindNull(int parameter) {
  Check(sqlite3_bind_null(statement_.get(), parameter));
  return *this;
}

Statement& Statement::BindPointer(int parameter, void* pointer, const char* type) {
  Check(sqlite3_bind_pointer(statement_.get(), parameter, pointer, type, nullptr));
  return *this;
}

bool Statement::Step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) {
    const bool writes = sqlite3_stmt_readonly(statement_.get()) == 0;
    // Reset keeps the error's message in the connection and lets a rollback go ahead.
    sqlite3_reset(statement_.get());
    database_->Fail(result, writes ? "cannot be written" : "cannot be read");
  }
  sqlite3_reset(statement_.get());
  return false;
}

void Statement::Run() {
  while (Step()) {
  }
}

void Statement::Reset() { sqlite3_reset(statement_.get()); }

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::Real(int column) const { return sqlite3_column_double(statement_.get(), column); }

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text == nullptr
             ? std::string_view()
             : std::string_view(
                   text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::string_view Statement::Blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return bytes == nullptr
             ? std::string_view()
             : std::string_view(
                   bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.Exec("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // Some errors (a full disk) have rolled back already; then no transaction is open.
  if (open_ && database_.InTransaction()) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::Commit() {
  database_.Exec("COMMIT");
  open_ = false;
}

}  // namespace tome
