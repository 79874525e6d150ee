#include "tome/library/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/library/library_fixture.h"
#include "tome/store/sqlite_schema.h"
#include "tome/text/analyzer.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class LibraryTest : public LibraryFixture {
 protected:
  // Opens the library's own tables, for facts that no call of Library tells or changes.
  Database Tables() { return OpenLibraryDatabase(home() / "library.db", {}); }
};

TEST_F(LibraryTest, AddsADocumentAndTellsAllOfIt) {
  Library library = Open();
  const std::string content = "---\n# One\nAlpha 软件。\n---\n## Deep\nBeta.\n";
  const auto path = folder_.Write("a.txt", content);
  const AddedDocument added = library.Add(path, {});
  EXPECT_EQ(added.outcome, AddOutcome::kAdded);
  EXPECT_THAT(added.notes, ElementsAre("read by echo"));

  const DocumentRecord record = library.Show(added.id);
  EXPECT_EQ(record.id, added.id);
  EXPECT_EQ(record.format, "text");
  EXPECT_EQ(record.encoding, "UTF-8");
  EXPECT_EQ(record.title, "An echo");
  EXPECT_EQ(record.line_breaks, LineBreaks::kHard);
  EXPECT_EQ(record.file_bytes, content.size());
  const std::string text = "One\n\nAlpha 软件。\n\nDeep\n\nBeta.";
  EXPECT_EQ(library.Text(added.id), text);
  EXPECT_EQ(record.text_bytes, text.size());
  EXPECT_EQ(record.characters, 27U);
  EXPECT_EQ(record.pages, 2U);
  EXPECT_GT(record.tokens, 0U);
  EXPECT_THAT(record.hash, testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(record.hash.size(), 32U);
  EXPECT_THAT(record.added_at, testing::MatchesRegex("20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-9:]+Z"));
  EXPECT_THAT(record.notes, ElementsAre("read by echo"));
  EXPECT_THAT(record.paths, ElementsAre(path.string()));
  EXPECT_THAT(library.Sections(added.id),
              ElementsAre(Section{"One", 1, kNoParent, {0, text.size()}},
                          Section{"Deep", 2, 0, {text.find("Deep"), text.size()}}));
  EXPECT_EQ(library.Pages(added.id).size(), 2U);
  EXPECT_EQ(library.Pages(added.id)[1].label, "p2");
  EXPECT_EQ(library.List().size(), 1U);
}

TEST_F(LibraryTest, AnUnchangedFileIsNotReadAgain) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "Alpha.");
  const DocumentId id = library.Add(path, {}).id;
  const AddedDocument again = library.Add(path, {});
  EXPECT_EQ(again.id, id);
  EXPECT_EQ(again.outcome, AddOutcome::kUnchanged);
  EXPECT_EQ(Reads(), 1U);
  EXPECT_EQ(library.List().size(), 1U);
}

TEST_F(LibraryTest, AFileWhoseStampIsKnownIsNotEvenHashed) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "Alpha.");
  const DocumentId id = library.Add(path, {}).id;
  // The file seems to have been added long after its last change, with a hash that no content has.
  const FileStamp stamp = StampOf(OpenForReading(path).get(), "a.txt");
  Database tables = Tables();
  tables
      .Prepare("UPDATE files SET size = ?1, mtime_ns = ?2, ctime_ns = ?3, inode = ?4, device = ?5")
      .Bind(1, static_cast<int64_t>(stamp.size))
      .Bind(2, stamp.mtime_ns)
      .Bind(3, stamp.ctime_ns)
      .Bind(4, static_cast<int64_t>(stamp.inode))
      .Bind(5, static_cast<int64_t>(stamp.device))
      .Run();
  tables.Exec("UPDATE documents SET hash = x'00'");
  const AddedDocument again = library.Add(path, {});
  EXPECT_EQ(again.id, id);
  EXPECT_EQ(again.outcome, AddOutcome::kUnchanged);
  EXPECT_EQ(Reads(), 1U);
}

TEST_F(LibraryTest, AFileChangedJustNowIsNeverTakenAtItsStamp) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "Alpha.");
  library.Add(path, {});
  // The clock of the file system may not have moved, so that only the content shows the change.
  WriteFile(path, "Gamma.");
  EXPECT_EQ(library.Add(path, {}).outcome, AddOutcome::kReplaced);
}

TEST_F(LibraryTest, ARenamedOrCopiedFileFindsItsDocument) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "Alpha.");
  const DocumentId id = library.Add(path, {}).id;
  std::filesystem::rename(path, folder_ / "b.txt");
  const AddedDocument renamed = library.Add(folder_ / "b.txt", {});
  EXPECT_EQ(renamed.id, id);
  EXPECT_EQ(renamed.outcome, AddOutcome::kUnchanged);
  EXPECT_EQ(library.Add(folder_.Write("c.txt", "Alpha."), {}).id, id);
  EXPECT_EQ(Reads(), 1U);
  EXPECT_THAT(library.Show(id).paths,
              ElementsAre((folder_ / "a.txt").string(), (folder_ / "b.txt").string(),
                          (folder_ / "c.txt").string()));
}

TEST_F(LibraryTest, AChangedFileReplacesWhatItWas) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "Alpha.");
  const DocumentId before = library.Add(path, {}).id;
  WriteFile(path, "Beta and more.");
  const AddedDocument after = library.Add(path, {});
  EXPECT_EQ(after.outcome, AddOutcome::kReplaced);
  EXPECT_NE(after.id, before);
  EXPECT_EQ(library.List().size(), 1U);
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { library.Show(before); }));
  EXPECT_THAT(Found(library, "alpha"), IsEmpty());
  EXPECT_THAT(Found(library, "beta"), ElementsAre("Beta and more."));
}

TEST_F(LibraryTest, AContentOfTwoPathsLivesUntilBothChanged) {
  Library library = Open();
  const auto a = folder_.Write("a.txt", "Alpha.");
  const auto b = folder_.Write("b.txt", "Alpha.");
  const DocumentId id = library.Add(a, {}).id;
  EXPECT_EQ(library.Add(b, {}).id, id);
  WriteFile(b, "Beta.");
  library.Add(b, {});
  EXPECT_THAT(library.Show(id).paths, ElementsAre(a.string()));
  EXPECT_THAT(Found(library, "alpha"), ElementsAre("Alpha."));
  WriteFile(a, "Beta.");
  EXPECT_EQ(library.Add(a, {}).outcome, AddOutcome::kUnchanged);
  EXPECT_THAT(Found(library, "alpha"), IsEmpty());
  EXPECT_EQ(library.List().size(), 1U);
}

TEST_F(LibraryTest, OtherOptionsReadTheFileAgain) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "Alpha.");
  const DocumentId plain = library.Add(path, {}).id;
  ReadFileOptions options;
  options.encoding = "GB18030";
  const DocumentId declared = library.Add(path, options).id;
  EXPECT_NE(declared, plain);
  EXPECT_EQ(Reads(), 2U);
  EXPECT_EQ(library.Add(path, options).id, declared);
  EXPECT_EQ(library.Add(path, {}).id, declared) << "any reading will do";
  EXPECT_EQ(Reads(), 2U);
}

TEST_F(LibraryTest, AReadThatFailsLeavesTheLibraryAsItWas) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "Alpha.");
  const DocumentId id = library.Add(path, {}).id;
  for (const char* content : {"FAIL", "CRASH", "", " \n"}) {
    WriteFile(path, content);
    EXPECT_THROW(library.Add(path, {}), Error) << content;
    EXPECT_THAT(ErrorOf([&] { library.Add(path, {}); })->what(), StartsWith(path.string() + ": "));
    EXPECT_EQ(library.List().size(), 1U);
    EXPECT_EQ(library.Text(id), "Alpha.");
    EXPECT_THAT(library.Show(id).paths, ElementsAre(path.string()));
  }
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { library.Add(path, {}); })) << "no text";
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { library.Add(folder_ / "none.txt", {}); }));
}

TEST_F(LibraryTest, AFileThatChangesWhileItIsReadIsRefused) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "Alpha.");
  const auto script = folder_.Write("script", "#!/bin/sh\necho more >> '" + path.string() +
                                                  "'\nexec '" TOME_TEST_READER "' \"$@\"\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  const ScopedEnvironment reader("TOME_READER", script.string());
  EXPECT_TRUE(Fails(Code::kUnavailable, [&] { library.Add(path, {}); }));
  EXPECT_THAT(library.List(), IsEmpty());
}

TEST_F(LibraryTest, AStoppedAddLeavesNothing) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "Alpha.");
  std::stop_source source;
  ReadFileOptions options;
  options.control.stop = source.get_token();
  options.control.progress = [&](std::string_view, uint64_t, uint64_t) { source.request_stop(); };
  // The first add is stopped by its own report of progress, in the middle of indexing. The second
  // one is stopped before it begins.
  std::string content;
  for (int i = 0; i < 1000; ++i) content += "# Chapter " + std::to_string(i) + "\nWords.\n";
  WriteFile(path, content);
  EXPECT_TRUE(Fails(Code::kCancelled, [&] { library.Add(path, options); }));
  EXPECT_TRUE(Fails(Code::kCancelled, [&] { library.Add(path, options); }));
  EXPECT_THAT(library.List(), IsEmpty());
  EXPECT_EQ(library.Add(path, {}).outcome, AddOutcome::kAdded);
}

TEST_F(LibraryTest, RemoveForgetsTheDocumentItsIndexAndItsPaths) {
  Library library = Open();
  const auto path = folder_.Write("a.txt", "# Head\nAlpha 软件.");
  const DocumentId id = library.Add(path, {}).id;
  library.Add(folder_.Write("b.txt", "Alpha of b."), {});
  const RemovedDocument removed = library.Remove(id, {});
  EXPECT_EQ(removed.record.id, id);
  EXPECT_THAT(removed.record.paths, ElementsAre(path.string()));
  EXPECT_EQ(removed.freed_memory_bytes, 0);
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { library.Show(id); }));
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { library.Remove(id, {}); }));
  EXPECT_THAT(Found(library, "软件"), IsEmpty());
  EXPECT_THAT(Found(library, "head"), IsEmpty());
  EXPECT_THAT(Found(library, "alpha"), ElementsAre("Alpha of b."));
  Database tables = Tables();
  for (const char* table : {"texts", "sections", "pages", "passages", "files"}) {
    const std::string sql =
        std::string("SELECT count(*) FROM ") + table + " WHERE document = " + std::to_string(id);
    EXPECT_EQ(tables.QueryInt(sql), 0) << table;
  }
  EXPECT_EQ(library.Add(path, {}).outcome, AddOutcome::kAdded);
  EXPECT_THAT(Found(library, "软件"), ElementsAre("Head\n\nAlpha 软件."));
}

TEST_F(LibraryTest, RemoveForgetsWhatModelsRememberOfTheDocument) {
  Library library = Open();
  const DocumentId id = library.Add(folder_.Write("a.txt", "Alpha."), {}).id;
  const auto memories = Library::MemoriesFolder(home());
  std::filesystem::create_directories(memories);
  // Whose memory a file is that cannot be parsed is unknown, so it goes with any document
  // (kept_memories_test.cc has the others).
  WriteFile(memories / (std::string(32, '1') + ".state.safetensors"), "of whom?");
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { library.Remove(99, {}); }));
  EXPECT_FALSE(std::filesystem::is_empty(memories));
  EXPECT_EQ(library.Remove(id, {}).freed_memory_bytes, 8);
  EXPECT_TRUE(std::filesystem::is_empty(memories));
}

TEST_F(LibraryTest, ADocumentWithADamagedTextCanBeRemoved) {
  Library library = Open();
  const DocumentId damaged = library.Add(folder_.Write("a.txt", "Alpha needle."), {}).id;
  library.Add(folder_.Write("b.txt", "Beta needle."), {});
  Tables().Exec("UPDATE texts SET bytes = x'00' WHERE document = " + std::to_string(damaged));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { library.Text(damaged); }));
  library.Remove(damaged, {});
  EXPECT_EQ(library.List().size(), 1U);
  EXPECT_THAT(Found(library, "needle"), ElementsAre("Beta needle."));
}

TEST_F(LibraryTest, ResolvesEachNameOfADocument) {
  Library library = Open();
  std::filesystem::create_directories(folder_ / "x");
  std::filesystem::create_directories(folder_ / "y");
  const DocumentId x = library.Add(folder_.Write("x/same.txt", "Alpha."), {}).id;
  const DocumentId y = library.Add(folder_.Write("y/same.txt", "Beta."), {}).id;
  const DocumentId z = library.Add(folder_.Write("z.txt", "Gamma."), {}).id;
  EXPECT_EQ(library.Resolve((folder_ / "x/same.txt").string()), x);
  EXPECT_EQ(library.Resolve((folder_ / "x/../y/same.txt").string()), y);
  EXPECT_EQ(library.Resolve("z.txt"), z);
  EXPECT_EQ(library.Resolve("#" + std::to_string(y)), y);
  EXPECT_EQ(library.Resolve(std::to_string(y)), y);
  const std::string hash = library.Show(z).hash;
  EXPECT_EQ(library.Resolve(hash), z);
  EXPECT_EQ(library.Resolve(hash.substr(0, 6)), z);
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { library.Resolve("h" + hash.substr(0, 5)); }));
  for (const char* name : {"", "#", "#99", "99", "none.txt", "same", "-1", "#1x"}) {
    EXPECT_TRUE(Fails(Code::kNotFound, [&] { library.Resolve(name); })) << name;
  }
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { library.Resolve("same.txt"); }));
  EXPECT_THAT(ErrorText([&] { library.Resolve("same.txt"); }), HasSubstr("(#1, #2)"));
}

TEST_F(LibraryTest, TellsThePageOfAnOffset) {
  Library library = Open();
  const DocumentId id =
      library.Add(folder_.Write("a.txt", "---\nFirst.\n---\n---\nThird.\n---\n"), {}).id;
  ASSERT_EQ(library.Text(id), "First.\n\nThird.");
  EXPECT_EQ(library.PageOf(id, 0)->number, 1);
  EXPECT_EQ(library.PageOf(id, 0)->label, "p1");
  const std::vector<Page> pages = library.Pages(id);
  ASSERT_EQ(pages.size(), 4U);
  for (uint64_t offset = 0; offset < 14; ++offset) {
    EXPECT_EQ(library.PageOf(id, offset)->number, PageAt(pages, offset)) << offset;
  }
  EXPECT_EQ(library.PageOf(id, 8)->label, "p3");
  const DocumentId without = library.Add(folder_.Write("b.txt", "No pages."), {}).id;
  EXPECT_EQ(library.PageOf(without, 0), std::nullopt);
}

TEST_F(LibraryTest, AnIndexOfAnotherAnalyzerIsRebuilt) {
  Open().Add(folder_.Write("a.txt", "# Head\nAlpha 软件."), {});
  {
    Database tables = Tables();
    tables.Exec(
        "INSERT INTO lexical(lexical) VALUES('delete-all'); DELETE FROM lexical_lengths;"
        "UPDATE properties SET value = 'an old one' WHERE name = 'analyzer'");
  }
  Library library = Open();
  EXPECT_THAT(Found(library, "软件"), ElementsAre("Head\n\nAlpha 软件."));
  EXPECT_THAT(Found(library, "head"), ElementsAre("Head\n\nAlpha 软件."));
  Database tables = Tables();
  Statement property = tables.Prepare("SELECT value FROM properties WHERE name = 'analyzer'");
  ASSERT_TRUE(property.Step());
  EXPECT_EQ(property.Text(0), AnalyzerVersion());
}

TEST_F(LibraryTest, ItsHomeIsTheFirstOfThreePlaces) {
  const ScopedEnvironment tome("TOME_HOME", "/t");
  const ScopedEnvironment xdg("XDG_DATA_HOME", "/x");
  const ScopedEnvironment user("HOME", "/h");
  EXPECT_EQ(Library::DefaultHome(), "/t");
  const ScopedEnvironment no_tome("TOME_HOME", "");
  EXPECT_EQ(Library::DefaultHome(), "/x/tome");
  const ScopedEnvironment no_xdg("XDG_DATA_HOME", nullptr);
  EXPECT_EQ(Library::DefaultHome(), "/h/.local/share/tome");
  const ScopedEnvironment no_user("HOME", nullptr);
  EXPECT_TRUE(Fails(Code::kNotFound, [] { Library::DefaultHome(); }));
}

}  // namespace
}  // namespace tome
