#include "tome/base/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace tome {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

Database OpenMemory() { return Database::Open(":memory:", 0ms, {}); }

TEST(StatementTest, BindsAndGivesEveryKindOfValue) {
  Database database = OpenMemory();
  database.Exec("CREATE TABLE t(a, b, c, d, e)");
  const std::string blob("\0\xFFx", 3);
  database.Prepare("INSERT INTO t VALUES(?1, ?2, ?3, ?4, ?5)")
      .Bind(1, INT64_MIN)
      .Bind(2, std::string_view("字\0x", 5))
      .BindBlob(3, blob)
      .BindNull(4)
      .Bind(5, std::string_view())
      .Run();
  Statement select = database.Prepare("SELECT a, b, c, d, e, 0.5 FROM t");
  ASSERT_TRUE(select.Step());
  EXPECT_EQ(select.Int(0), INT64_MIN);
  EXPECT_EQ(select.Text(1), std::string_view("字\0x", 5));
  EXPECT_EQ(select.Blob(2), blob);
  EXPECT_TRUE(select.IsNull(3));
  EXPECT_FALSE(select.IsNull(4)) << "an empty view is an empty text, not NULL";
  EXPECT_EQ(select.Text(4), "");
  EXPECT_EQ(select.Real(5), 0.5);
  EXPECT_FALSE(select.Step());
  EXPECT_TRUE(select.Step()) << "a finished statement runs again";
}

TEST(StatementTest, SaysWhatIsWrongWithASql) {
  Database database = OpenMemory();
  const auto prepare = [&] { database.Prepare("SELECT nonsense FROM nowhere"); };
  EXPECT_TRUE(Fails(Code::kIo, prepare));
  EXPECT_THAT(ErrorOf(prepare)->what(), StartsWith(":memory:: "));
  EXPECT_THAT(ErrorOf(prepare)->what(), HasSubstr("nowhere"));
  EXPECT_THROW(database.Exec("nonsense"), Error);
}

TEST(DatabaseTest, CountsRowsAndGivesIds) {
  Database database = OpenMemory();
  database.Exec("CREATE TABLE t(id INTEGER PRIMARY KEY, x)");
  database.Exec("INSERT INTO t VALUES(41, 'a'), (42, 'b')");
  EXPECT_EQ(database.LastInsertId(), 42);
  EXPECT_EQ(database.ChangedRows(), 2);
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM t"), 2);
  EXPECT_EQ(database.QueryInt("SELECT id FROM t WHERE x = 'c'"), 0);
}

TEST(TransactionTest, CommitsOnlyWhatWasCommitted) {
  const TempFolder folder;
  Database database = Database::Open(folder / "a.db", 0ms, {});
  database.Exec("CREATE TABLE t(x)");
  {
    Transaction transaction(database);
    database.Exec("INSERT INTO t VALUES(1)");
    transaction.Commit();
  }
  {
    const Transaction transaction(database);
    database.Exec("INSERT INTO t VALUES(2)");
  }
  try {
    const Transaction transaction(database);
    database.Exec("INSERT INTO t VALUES(3)");
    throw std::runtime_error("in the middle");
  } catch (const std::runtime_error&) {
  }
  Database other = Database::Open(folder / "a.db", 0ms, {});
  EXPECT_EQ(other.QueryInt("SELECT count(*) FROM t"), 1);
  // No transaction is left open: the next one can begin.
  Transaction next(database);
  next.Commit();
}

TEST(DatabaseTest, AFileThatIsNoDatabaseIsCorrupt) {
  const TempFolder folder;
  const auto path = folder.Write("a.db", std::string(10'000, 'g'));
  const auto use = [&] {
    Database database = Database::Open(path, 0ms, {});
    database.QueryInt("SELECT count(*) FROM sqlite_schema");
  };
  EXPECT_TRUE(Fails(Code::kCorrupt, use));
  EXPECT_THAT(ErrorOf(use)->what(), StartsWith(path.string()));
}

TEST(DatabaseTest, ADamagedPageIsCorrupt) {
  const TempFolder folder;
  const auto path = folder / "a.db";
  {
    Database database = Database::Open(path, 0ms, {});
    database.Exec("CREATE TABLE t(x); INSERT INTO t VALUES(zeroblob(50000));");
  }
  std::string bytes = FileBytes(path);
  std::fill(bytes.begin() + 4096, bytes.end(), '\xAA');
  WriteFile(path, bytes);
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] {
    Database database = Database::Open(path, 0ms, {});
    Statement select = database.Prepare("SELECT x FROM t");
    select.Step();
  }));
}

TEST(DatabaseTest, AFolderThatDoesNotExistCannotBeOpened) {
  const TempFolder folder;
  EXPECT_TRUE(Fails(Code::kIo, [&] { Database::Open(folder / "no/a.db", 0ms, {}); }));
}

TEST(DatabaseTest, ABusyDatabaseIsUnavailableAfterTheWait) {
  const TempFolder folder;
  Database holder = Database::Open(folder / "a.db", 0ms, {});
  holder.Exec("CREATE TABLE t(x)");
  const Transaction held(holder);
  Database waiter = Database::Open(folder / "a.db", 60ms, {});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(Fails(Code::kUnavailable, [&] { const Transaction refused(waiter); }));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 60ms);
}

TEST(DatabaseTest, WaitsUntilTheOtherWriterIsDone) {
  const TempFolder folder;
  Database holder = Database::Open(folder / "a.db", 0ms, {});
  holder.Exec("CREATE TABLE t(x)");
  auto held = std::make_unique<Transaction>(holder);
  std::jthread waiter([&] {
    Database database = Database::Open(folder / "a.db", 60s, {});
    Transaction transaction(database);
    database.Exec("INSERT INTO t VALUES(1)");
    transaction.Commit();
  });
  held->Commit();
  held.reset();
  waiter.join();
  EXPECT_EQ(holder.QueryInt("SELECT count(*) FROM t"), 1);
}

TEST(DatabaseTest, AStopRequestEndsTheWait) {
  const TempFolder folder;
  Database holder = Database::Open(folder / "a.db", 0ms, {});
  holder.Exec("CREATE TABLE t(x)");
  const Transaction held(holder);
  std::stop_source source;
  std::string error;
  {
    std::jthread waiter([&] {
      Database database = Database::Open(folder / "a.db", 1h, source.get_token());
      error = ErrorText([&] { const Transaction refused(database); });
    });
    source.request_stop();
  }
  EXPECT_EQ(error, "cancelled: interrupted");
}

TEST(DatabaseTest, AFullDiskIsAnIoErrorThatSaysWhatToDoAndChangesNothing) {
  const TempFolder folder;
  Database database = Database::Open(folder / "a.db", 0ms, {});
  database.Exec("CREATE TABLE t(x); INSERT INTO t VALUES('old');");
  database.QueryInt("PRAGMA max_page_count = 20");
  const auto fill = [&] {
    Transaction transaction(database);
    database.Exec("DELETE FROM t");
    Statement insert = database.Prepare("INSERT INTO t VALUES(zeroblob(20000))");
    for (int i = 0; i < 20; ++i) insert.Run();
    transaction.Commit();
  };
  EXPECT_TRUE(Fails(Code::kIo, fill));
  EXPECT_THAT(ErrorOf(fill)->what(), HasSubstr("free some space"));
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM t WHERE x = 'old'"), 1);
}

TEST(DatabaseTest, InterruptCancelsALongQuery) {
  Database database = OpenMemory();
  Statement endless = database.Prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n");
  // An interrupt before the query begins has no effect, so it is repeated until the query has
  // ended.
  std::jthread interrupter([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) database.Interrupt();
  });
  EXPECT_TRUE(Fails(Code::kCancelled, [&] { endless.Step(); }));
}

}  // namespace
}  // namespace tome
