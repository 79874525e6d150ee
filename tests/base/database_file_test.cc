#include "tome/base/database_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"
#include "tome/base/utc_time.h"

namespace tome {
namespace {

// Foreign, newer and damaged files, and processes that create one at once, are tested with the
// library's format (tests/store/sqlite_schema_test.cc).
class DatabaseFileTest : public testing::Test {
 protected:
  static DatabaseFormat Version(int64_t version) {
    return {.application_id = 5,
            .version = version,
            .remedy = "try again",
            .prepare = {},
            .create = [](Database& database) { database.Exec("CREATE TABLE t(x)"); },
            .upgrade =
                [](Database& database, int64_t from) {
                  database.Prepare("INSERT INTO t VALUES(?1)").Bind(1, from).Run();
                }};
  }
  Database Open(const DatabaseFormat& format) { return OpenDatabaseFile(path_, format, {}); }

  const TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "new/file.db";
};

TEST_F(DatabaseFileTest, IsCreatedOnceAndUpgradedFromWhatItIs) {
  EXPECT_EQ(Open(Version(2)).QueryInt("SELECT count(*) FROM t"), 0);
  EXPECT_EQ(Open(Version(2)).QueryInt("PRAGMA user_version"), 2);
  EXPECT_EQ(Open(Version(4)).QueryInt("SELECT x FROM t"), 2);
  Database database = Open(Version(4));
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM t"), 1);
  EXPECT_EQ(database.QueryInt("PRAGMA user_version"), 4);
  EXPECT_EQ(database.QueryInt("PRAGMA application_id"), 5);
}

TEST_F(DatabaseFileTest, AnUpgradeThatFailsChangesNothing) {
  Open(Version(2));
  DatabaseFormat failing = Version(3);
  failing.upgrade = [](Database& database, int64_t) {
    database.Exec("INSERT INTO t VALUES(1); CREATE TABLE t(x)");
  };
  EXPECT_THROW(Open(failing), Error);
  Database database = Open(Version(2));
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM t"), 0);
  EXPECT_EQ(database.QueryInt("PRAGMA user_version"), 2);
}

TEST_F(DatabaseFileTest, ACreationThatFailsLeavesANewFile) {
  DatabaseFormat failing = Version(1);
  failing.create = [](Database& database) { database.Exec("CREATE TABLE t(x); nonsense"); };
  EXPECT_THROW(Open(failing), Error);
  EXPECT_EQ(Open(Version(1)).QueryInt("SELECT count(*) FROM t"), 0);
}

TEST_F(DatabaseFileTest, ADamagedFileSaysWhatToDo) {
  const auto damaged = folder_.Write("damaged.db", std::string(5000, 'g'));
  EXPECT_THAT(ErrorText([&] { OpenDatabaseFile(damaged, Version(1), {}); }),
              testing::HasSubstr("move it away and try again"));
}

TEST(UtcTimeTest, TellsTheSecondByIso8601) {
  EXPECT_THAT(UtcNow(), testing::MatchesRegex("20..-[01].-[0-3].T[0-2].:[0-5].:[0-6].Z"));
}

}  // namespace
}  // namespace tome
