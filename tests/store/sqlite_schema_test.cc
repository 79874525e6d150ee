#include "tome/store/sqlite_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"
#include "tome/store/fts5_extension.h"
#include "tome/store/sqlite_store.h"
#include "tome/store/sqlite_text.h"
#include "tome/store/term_stream.h"
#include "tome/text/analyzer.h"

namespace tome {
namespace {

class SchemaTest : public testing::Test {
 protected:
  Database Open() { return OpenLibraryDatabase(path_, {}); }
  // Opens the file without looking at its version.
  Database OpenAsFile() { return Database::Open(path_, std::chrono::milliseconds(0), {}); }

  const TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "deep/er/library.db";
};

TEST_F(SchemaTest, CreatesFolderFileAndTables) {
  Database database = Open();
  EXPECT_EQ(database.QueryInt("PRAGMA user_version"), kLibraryVersion);
  for (const char* table : {"documents", "files", "texts", "sections", "pages", "passages",
                            "lexical", "lexical_lengths", "properties", "embedders", "windows"}) {
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
  EXPECT_EQ(Open().QueryInt("PRAGMA user_version"), kLibraryVersion);
}

// The tables of version 5 as Tome made them then. This text never changes.
constexpr const char* kVersion5 = R"(
  CREATE TABLE properties(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE documents(
    id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL, reader TEXT NOT NULL,
    settings TEXT NOT NULL, format TEXT NOT NULL, encoding TEXT NOT NULL, title TEXT NOT NULL,
    soft_line_breaks INTEGER NOT NULL, file_bytes INTEGER NOT NULL, text_bytes INTEGER NOT NULL,
    characters INTEGER NOT NULL, page_count INTEGER NOT NULL, first_passage INTEGER NOT NULL,
    last_passage INTEGER NOT NULL, tokens INTEGER NOT NULL, added_at TEXT NOT NULL,
    notes TEXT NOT NULL);
  CREATE UNIQUE INDEX documents_by_content ON documents(hash, reader, settings);
  CREATE TABLE files(
    path TEXT PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents(id),
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL, device INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX files_by_document ON files(document);
  CREATE TABLE texts(
    document INTEGER NOT NULL, chunk INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY(document, chunk));
  CREATE TABLE sections(
    document INTEGER NOT NULL, ordinal INTEGER NOT NULL, title TEXT NOT NULL,
    level INTEGER NOT NULL, parent INTEGER NOT NULL, begin_byte INTEGER NOT NULL,
    end_byte INTEGER NOT NULL, PRIMARY KEY(document, ordinal)) WITHOUT ROWID;
  CREATE INDEX sections_by_begin ON sections(document, begin_byte);
  CREATE TABLE pages(
    document INTEGER NOT NULL, number INTEGER NOT NULL, begin_byte INTEGER NOT NULL,
    end_byte INTEGER NOT NULL, label TEXT NOT NULL,
    PRIMARY KEY(document, begin_byte, number)) WITHOUT ROWID;
  CREATE TABLE passages(
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL, begin_byte INTEGER NOT NULL,
    end_byte INTEGER NOT NULL, section INTEGER NOT NULL, tokens INTEGER NOT NULL);
  CREATE VIRTUAL TABLE lexical USING fts5(
    text, headings, content='', columnsize=0, detail=full, tokenize='tome');
  INSERT INTO lexical(lexical, rank) VALUES('hashsize', 67108864);
  CREATE TABLE lexical_lengths(first_passage INTEGER PRIMARY KEY, lengths BLOB NOT NULL);
  CREATE TABLE speeds(
    shape TEXT NOT NULL, processor TEXT NOT NULL, kernels TEXT NOT NULL, threads INTEGER NOT NULL,
    kv TEXT NOT NULL, linear_per_second REAL NOT NULL, attention_per_second REAL NOT NULL,
    weight_bytes_per_second REAL NOT NULL, kv_bytes_per_second REAL NOT NULL,
    measured_at TEXT NOT NULL, PRIMARY KEY(shape, processor, kernels, threads, kv)) WITHOUT ROWID;
  CREATE TABLE kv_losses(
    model TEXT NOT NULL, kv TEXT NOT NULL, tokens INTEGER NOT NULL, mean_kl REAL NOT NULL,
    p99_kl REAL NOT NULL, largest_kl REAL NOT NULL, perplexity REAL NOT NULL,
    exact_perplexity REAL NOT NULL, same_top REAL NOT NULL, bytes_per_token REAL NOT NULL,
    measured_at TEXT NOT NULL, PRIMARY KEY(model, kv)) WITHOUT ROWID;
  ALTER TABLE speeds ADD COLUMN under_load INTEGER NOT NULL DEFAULT 1;
  CREATE TABLE abilities(
    model TEXT NOT NULL, language TEXT NOT NULL, ability TEXT NOT NULL, measured_at TEXT NOT NULL,
    PRIMARY KEY(model, language)) WITHOUT ROWID;
  INSERT INTO speeds VALUES('s', 'p', 'k', 1, 'q8', 1, 1, 1, 1, 'then', 0);
  INSERT INTO documents VALUES(7, x'61', '1', '', 'text', 'UTF-8', 'Old', 0, 12, 12, 12, 0, 3, 3, 4,
                               'then', '');
  INSERT INTO files VALUES('/old', 7, 12, 1, 2, 3, 4);
  INSERT INTO passages VALUES(3, 7, 0, 12, -1, 4);
  INSERT INTO lexical_lengths VALUES(3, x'0200');
  PRAGMA application_id = 1416588645;
  PRAGMA user_version = 5;
)";

TEST_F(SchemaTest, ALibraryOfVersion5IsUpgradedWithAllThatItHolds) {
  std::filesystem::create_directories(path_.parent_path());
  Analyzer analyzer;
  const std::string needle = AnalyzeToStream("old needle", analyzer).stream;
  {
    Database old = OpenAsFile();
    RegisterFts5Extension(old);
    old.Exec(kVersion5);
    const std::string analyzer_version = AnalyzerVersion();
    old.Prepare("INSERT INTO properties VALUES('analyzer', ?1)")
        .Bind(1, std::string_view(analyzer_version))
        .Run();
    old.Prepare("INSERT INTO lexical(rowid, text, headings) VALUES(3, ?1, '')")
        .Bind(1, std::string_view(needle))
        .Run();
    WriteStoredText(old, 7, "An old text.");
  }
  const auto store = OpenSqliteStore(path_, {});
  DocumentStore& documents = store->documents();
  ASSERT_EQ(documents.List().size(), 1U);
  EXPECT_EQ(documents.Read(7).title, "Old");
  EXPECT_EQ(documents.Text(7, {.begin = 3, .end = 6}), "old");
  EXPECT_EQ(documents.ReadPassages(std::vector<PassageId>{3})[0].document, 7);
  const std::string_view phrase = needle;
  const PassageRange all = documents.AllPassages();
  EXPECT_EQ(store->postings().Postings({&phrase, 1}, {&all, 1}).at(0).size(), 1U);
  EXPECT_TRUE(store->vectors().Embedders().empty());
  const EmbedderId embedder = store->vectors().Register("key", "name", 4);
  EXPECT_THAT(store->vectors().Incomplete(embedder), testing::ElementsAre(7));
  Database database = Open();
  EXPECT_EQ(database.QueryInt("PRAGMA user_version"), kLibraryVersion);
  // Measurements takes them over, and nothing else may lose them.
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM speeds"), 1);
}

// The versions 2 to 5 added nothing but the tables of measurements.
TEST_F(SchemaTest, ALibraryOfTheFirstVersionIsUpgraded) {
  Open().Exec(
      "INSERT INTO properties VALUES('kept', 'yes'); DROP TABLE embedders; DROP TABLE windows;"
      "DROP TABLE survey_notes;"
      "PRAGMA user_version = 1");
  Database database = Open();
  EXPECT_EQ(database.QueryInt("PRAGMA user_version"), kLibraryVersion);
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM properties WHERE name = 'kept'"), 1);
  EXPECT_EQ(database.QueryInt("SELECT count(*) FROM embedders, windows"), 0);
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
