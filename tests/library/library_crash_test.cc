// Tests libraries with several processes, with a killed process and with a full disk. Afterwards
// the library opens in the old state or in the new one, and in no third.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/expect_error.h"
#include "tests/library/library_fixture.h"
#include "tome/store/sqlite_schema.h"

namespace tome {
namespace {

class LibraryCrashTest : public LibraryFixture {
 protected:
  // Runs `work` in its own process. The exit status is 0, or 10 + code for an Error.
  static pid_t Start(const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    int status = 0;
    try {
      work();
    } catch (const Error& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
      status = 10 + static_cast<int>(error.code());
    } catch (...) {
      status = 1;
    }
    ::_exit(status);
  }
  static int WaitFor(pid_t child) {
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
  }

  // Returns content of `chapters` chapters. Every passage of it holds `word`.
  static std::string Content(const std::string& word, int chapters) {
    std::string content;
    for (int i = 0; i < chapters; ++i) {
      content += "# Chapter " + std::to_string(i) + "\nThe " + word + " number " +
                 std::to_string(i * 7919) + " 软件管理。\n";
    }
    return content;
  }

  // Checks that the library is sound and holds one document. Of `possible_words`, its passages hold
  // the word that its text holds, and no passage holds another.
  void ExpectWhole(const std::vector<std::string>& possible_words) {
    {
      Database database = OpenLibraryDatabase(home() / "library.db", {});
      Statement check = database.Prepare("PRAGMA integrity_check");
      ASSERT_TRUE(check.Step());
      ASSERT_EQ(check.Text(0), "ok");
    }
    Library library = Open();
    const std::vector<DocumentRecord> records = library.List();
    ASSERT_EQ(records.size(), 1U);
    const auto passages =
        static_cast<size_t>(records[0].passages.last - records[0].passages.first + 1);
    const std::string text = library.Text(records[0].id);
    int holding = 0;
    for (const std::string& word : possible_words) {
      const size_t found = Count(library, word);
      if (text.find(word) == std::string::npos) {
        EXPECT_EQ(found, 0U) << word;
        continue;
      }
      ++holding;
      EXPECT_EQ(found, passages) << word;
    }
    EXPECT_EQ(holding, 1);
    EXPECT_EQ(Count(library, "软件管理"), passages);
  }
};

TEST_F(LibraryCrashTest, AProcessKilledInTheMiddleOfAnAddLeavesTheOldStateOrTheNew) {
  const auto path = folder_.Write("a.txt", Content("alpha", 300));
  Open().Add(path, {});
  ExpectWhole({"alpha", "beta"});
  std::mt19937 random(20260101);
  // The time of an undisturbed process gives the range of moments to kill the next ones at.
  WriteFile(path, Content("beta", 300));
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(WaitFor(Start([&] { Open().Add(path, {}); })), 0);
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  ExpectWhole({"alpha", "beta"});
  for (int round = 0; round < 20; ++round) {
    WriteFile(path, Content(round % 2 == 0 ? "alpha" : "beta", 300));
    const pid_t child = Start([&] { Open().Add(path, {}); });
    std::this_thread::sleep_for(whole * (random() % 1200) / 1000);
    ::kill(child, SIGKILL);
    WaitFor(child);
    SCOPED_TRACE(round);
    ExpectWhole({"alpha", "beta"});
    if (HasFatalFailure()) return;
  }
}

TEST_F(LibraryCrashTest, ProcessesThatAddTheSameAndOtherFilesAtOnceAllSucceed) {
  const auto same = folder_.Write("same.txt", Content("alpha", 100));
  constexpr int kProcesses = 3;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const auto own = folder_.Write("own" + std::to_string(i) + ".txt",
                                   Content("own" + std::string(1, static_cast<char>('a' + i)), 50));
    children.push_back(Start([&, own] {
      Library library = Open();
      library.Add(same, {});
      library.Add(own, {});
      library.Add(same, {});
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(WaitFor(child), 0);
  Library library = Open();
  EXPECT_EQ(library.List().size(), 1U + kProcesses);
  EXPECT_EQ(Count(library, "alpha"), 100U);
  for (const char* word : {"owna", "ownb", "ownc"}) {
    EXPECT_EQ(Count(library, word), 50U) << word;
  }
}

TEST_F(LibraryCrashTest, AReaderSeesTheOldStateWhileAnotherProcessWrites) {
  const auto path = folder_.Write("a.txt", Content("alpha", 50));
  Library library = Open();
  library.Add(path, {});
  Database writer = OpenLibraryDatabase(home() / "library.db", {});
  Transaction transaction(writer);
  writer.Exec("DELETE FROM documents");
  EXPECT_EQ(library.List().size(), 1U);
  EXPECT_EQ(Found(library, "alpha").size(), 50U);
}

TEST_F(LibraryCrashTest, AFullDiskLeavesTheOldStateAndIsAnIoError) {
  const auto path = folder_.Write("a.txt", Content("alpha", 20));
  Open().Add(path, {});
  WriteFile(path, Content("beta", 3000));
  const pid_t child = Start([&] {
    Library library = Open();
    // No file may grow beyond this limit, as on a full disk.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 128 << 10, .rlim_max = 128 << 10};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    library.Add(path, {});
  });
  const int status = WaitFor(child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 10 + static_cast<int>(Code::kIo));
  ExpectWhole({"alpha", "beta"});
  Library library = Open();
  EXPECT_EQ(Found(library, "alpha").size(), 20U);
  EXPECT_EQ(library.Add(path, {}).outcome, AddOutcome::kReplaced);
}

}  // namespace
}  // namespace tome
