#include "tome/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace tome {
namespace {

using testing::StartsWith;

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0 || errno != EBADF; }

int OpenNull() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(UniqueFdTest, IsEmptyAtFirstAndHoldsZeroAsAValidDescriptor) {
  EXPECT_FALSE(UniqueFd().valid());
  EXPECT_EQ(UniqueFd().get(), -1);
  UniqueFd zero(0);
  EXPECT_TRUE(zero.valid());
  EXPECT_EQ(zero.Release(), 0);  // standard input stays open for the other tests
  EXPECT_FALSE(zero.valid());
}

TEST(UniqueFdTest, ClosesAtTheEndOfTheScope) {
  int number = -1;
  {
    const UniqueFd fd(OpenNull());
    number = fd.get();
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(UniqueFdTest, AMoveHandsOverAndLeavesEmpty) {
  UniqueFd first(OpenNull());
  const int number = first.get();
  UniqueFd second(std::move(first));
  EXPECT_EQ(second.get(), number);
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): the test is about it
  EXPECT_TRUE(IsOpen(number));
}

TEST(UniqueFdTest, AssignmentClosesWhatWasHeldBefore) {
  UniqueFd first(OpenNull());
  UniqueFd second(OpenNull());
  const int old = first.get();
  const int kept = second.get();
  first = std::move(second);
  EXPECT_FALSE(IsOpen(old));
  EXPECT_EQ(first.get(), kept);
  EXPECT_TRUE(IsOpen(kept));
  UniqueFd& self = first;
  first = std::move(self);
  EXPECT_EQ(first.get(), kept);
  EXPECT_TRUE(IsOpen(kept));
}

TEST(OpenForReadingTest, OpensARegularFileForThisProcessOnly) {
  const TempFolder folder;
  const UniqueFd fd = OpenForReading(folder.Write("a.txt", "content"));
  EXPECT_EQ(ReadAll(fd.get(), 100, "a.txt"), "content");
  EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(OpenForReadingTest, SaysThatAFileIsMissing) {
  const TempFolder folder;
  const auto open = [&] { OpenForReading(folder / "missing.txt"); };
  EXPECT_TRUE(Fails(Code::kNotFound, open));
  EXPECT_THAT(ErrorOf(open)->what(), StartsWith((folder / "missing.txt").string()));
}

TEST(OpenForReadingTest, RefusesWhatIsNoRegularFileWithoutWaiting) {
  const TempFolder folder;
  const std::string fifo = (folder / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string socket_path = (folder / "socket").string();
  ASSERT_LT(socket_path.size(), sizeof(address.sun_path));
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof(address.sun_path) - 1);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  for (const std::string& path :
       {folder.path().string(), fifo, socket_path, std::string("/dev/null")}) {
    const auto open = [&] { OpenForReading(path); };
    EXPECT_TRUE(Fails(Code::kInvalidArgument, open)) << path;
    EXPECT_THAT(ErrorText(open), StartsWith("invalid_argument: " + path + ": is "));
  }
}

TEST(OpenForReadingTest, OtherFailuresAreTheSystems) {
  const TempFolder folder;
  folder.Write("a.txt", "");
  const auto open = [&] { OpenForReading(folder / "a.txt/b.txt"); };
  EXPECT_TRUE(Fails(Code::kIo, open));
  EXPECT_THAT(ErrorOf(open)->what(), StartsWith((folder / "a.txt/b.txt").string()));
}

TEST(ReadAllTest, TakesExactlyTheLimitAndRefusesOneByteMore) {
  const TempFolder folder;
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{5000}, (size_t{1} << 20) + 3}) {
    const std::string content(size, 'x');
    const auto path = folder.Write("a.bin", content);
    EXPECT_EQ(ReadAll(OpenForReading(path).get(), size, "a.bin"), content);
    if (size == 0) continue;
    const auto read = [&] { ReadAll(OpenForReading(path).get(), size - 1, "a.bin"); };
    EXPECT_TRUE(Fails(Code::kUnsupported, read)) << size;
    EXPECT_THAT(ErrorOf(read)->what(), StartsWith("a.bin: "));
  }
}

TEST(ReadAllTest, ReadsAPipeInPiecesToItsEnd) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd input(ends[0]);
  UniqueFd output(ends[1]);
  std::string content;
  for (int i = 0; i < 100'000; ++i) content += std::to_string(i);
  std::jthread writer([&] {
    WriteAll(output.get(), content, "pipe");
    output.Reset();
  });
  EXPECT_EQ(ReadAll(input.get(), content.size(), "pipe"), content);
}

TEST(ReadAllTest, SaysThatReadingFailed) {
  EXPECT_TRUE(Fails(Code::kIo, [] { ReadAll(-1, 10, "nothing"); }));
}

TEST(WriteAllTest, SaysThatTheDiskIsFull) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full.valid()) GTEST_SKIP() << "no /dev/full here";
  const auto write = [&] { WriteAll(full.get(), "bytes", "out.txt"); };
  EXPECT_TRUE(Fails(Code::kIo, write));
  EXPECT_EQ(ErrorText(write),
            "io: out.txt: No space left on device; free some space and try again");
  EXPECT_NO_THROW(WriteAll(full.get(), "", "out.txt"));
}

TEST(FileStampTest, TellsAChangeOfContentAndANewFile) {
  const TempFolder folder;
  const auto path = folder.Write("a.txt", "one");
  const FileStamp before = StampOf(OpenForReading(path).get(), "a.txt");
  EXPECT_EQ(before.size, 3U);
  EXPECT_EQ(StampOf(OpenForReading(path).get(), "a.txt"), before);
  WriteFile(path, "three");
  EXPECT_NE(StampOf(OpenForReading(path).get(), "a.txt"), before);
  const auto other = folder.Write("b.txt", "one");
  EXPECT_NE(StampOf(OpenForReading(other).get(), "b.txt").inode, before.inode);
  EXPECT_TRUE(Fails(Code::kIo, [] { StampOf(-1, "nothing"); }));
}

}  // namespace
}  // namespace tome
