#include "tome/library/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"
#include "tome/text/analyzer.h"

namespace tome {
namespace {

class SchemaTest : public testing::Test {
 protected:
  Database Open() { return OpenLibraryDatabase(path_, {}); }

  const TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "deep/er/library.db";
};

TEST_F(SchemaTest, CreatesFolderFileAndTables) {
  Database database = Open();
  EXPECT_EQ(database.QueryInt("PRAGMA user_version"), kSchemaVersion);
  for (const char* table : {"documents", "files", "texts", "sections", "pages", "passages",
                            "lexical", "lexical_lengths", "speeds", "kv_losses", "properties"}) {
    Statement select = database.Prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1");
    EXPECT_TRUE(select.Bind(1, std::string_view(table)).Step()) << table;
  }
  Statement version = database.Prepare("SELECT value FROM properties WHERE name = 'analyzer'");
  ASSERT_TRUE(version.Step());
  EXPECT_EQ(version.Text(0), AnalyzerVersion());
  Statement mode = database.Prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode.Step());
  EXPECT_EQ(mode.Text(0), "wal");
}

TEST_F(SchemaTest, OpensAgainWhatItCreated) {
  Open().Exec("INSERT INTO properties VALUES('kept', 'yes')");
  EXPECT_EQ(Open().QueryInt("SELECT count(*) FROM properties WHERE name = 'kept'"), 1);
}

TEST_F(SchemaTest, AnEmptyFileIsANewLibrary) {
  std::filesystem::create_directories(path_.parent_path());
  WriteFile(path_, "");
  EXPECT_EQ(Open().QueryInt("PRAGMA user_version"), kSchemaVersion);
}

TEST_F(SchemaTest, ALibraryOfAnOlderTomeIsBroughtUpToDate) {
  Open().Exec(
      "INSERT INTO properties VALUES('kept', 'yes'); DROP TABLE speeds; DROP TABLE kv_losses; DROP "
      "TABLE abilities;"
      "PRAGMA user_version = 1");
  {
    Database database = Open();
    EXPECT_EQ(database.QueryInt("PRAGMA user_version"), kSchemaVersion);
    EXPECT_EQ(database.QueryInt("SELECT count(*) FROM speeds"), 0);
    EXPECT_EQ(database.QueryInt("SELECT count(*) FROM kv_losses"), 0);
    EXPECT_EQ(database.QueryInt("SELECT count(*) FROM properties WHERE name = 'kept'"), 1);
  }
  // A step up from version 2 leaves the tables of the steps before.
  Open().Exec(
      "ALTER TABLE speeds DROP COLUMN under_load;"
      "INSERT INTO speeds VALUES('s', 'p', 'k', 1, 'q8', 1, 1, 1, 1, 'now'); DROP TABLE kv_losses;"
      "DROP TABLE abilities;"
      "PRAGMA user_version = 2");
  Database database = Open();
  EXPECT_EQ(database.QueryInt("PRAGMA user_version"), kSchemaVersion);
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM speeds"), 1);
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM kv_losses"), 0);
  // How busy the machine was at that time is unknown, so it counts as busy.
  EXPECT_EQ(database.QueryInt("SELECT under_load FROM speeds"), 1);
}

TEST_F(SchemaTest, AVersionThatNeverWasIsDamage) {
  Open().Exec("PRAGMA user_version = -3");
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Open(); }));
}

TEST_F(SchemaTest, ALibraryOfANewerTomeIsUnsupported) {
  Open().Exec("PRAGMA user_version = 99");
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { Open(); }));
  EXPECT_THAT(ErrorText([&] { Open(); }), testing::HasSubstr("newer Tome (format 99"));
}

TEST_F(SchemaTest, TheDatabaseOfAnotherProgramIsUnsupportedAndLeftAlone) {
  const auto foreign = folder_ / "foreign.db";
  Database::Open(foreign, std::chrono::milliseconds(0), {}).Exec("CREATE TABLE theirs(x)");
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { OpenLibraryDatabase(foreign, {}); }));
  Database after = Database::Open(foreign, std::chrono::milliseconds(0), {});
  EXPECT_EQ(after.QueryInt("SELECT count(*) FROM sqlite_schema"), 1);
  after.Exec("PRAGMA application_id = 7; PRAGMA user_version = 1");
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { OpenLibraryDatabase(foreign, {}); }));
}

TEST_F(SchemaTest, AFileThatIsNoDatabaseIsCorruptAndLeftAlone) {
  for (const std::string& garbage : {std::string(5000, 'g'), std::string("SQLite format 3"),
                                     std::string("short"), std::string(100, '\0') + "x"}) {
    const auto path = folder_.Write("garbage.db", garbage);
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { OpenLibraryDatabase(path, {}); })) << garbage.size();
    EXPECT_EQ(FileBytes(path), garbage);
  }
}

TEST_F(SchemaTest, ATruncatedLibraryIsCorrupt) {
  Open();
  const std::string whole = FileBytes(path_);
  ASSERT_GT(whole.size(), 8192U);
  for (const size_t size : {whole.size() - 4096, whole.size() / 2, size_t{4096}, size_t{100}}) {
    WriteFile(path_, whole.substr(0, size));
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Open(); })) << size << " of " << whole.size();
  }
}

TEST_F(SchemaTest, AFolderThatCannotBeMadeIsAnError) {
  folder_.Write("file", "");
  EXPECT_TRUE(Fails(Code::kIo, [&] { OpenLibraryDatabase(folder_ / "file/library.db", {}); }));
}

TEST_F(SchemaTest, ProcessesThatCreateItAtOnceAllOpenIt) {
  for (int round = 0; round < 15; ++round) {
    const auto path = folder_ / ("race" + std::to_string(round)) / "library.db";
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
      const pid_t child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        const std::string error = ErrorText([&] { OpenLibraryDatabase(path, {}); });
        if (error != "no error") std::fprintf(stderr, "round %d: %s\n", round, error.c_str());
        ::_exit(error == "no error" ? 0 : 1);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = -1;
      ::waitpid(child, &status, 0);
      EXPECT_EQ(status, 0);
    }
  }
}

}  // namespace
}  // namespace tome
