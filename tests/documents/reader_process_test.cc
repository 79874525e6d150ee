#include "tome/documents/reader_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "tests/expect_error.h"
#include "tests/scoped_environment.h"
#include "tests/temp_folder.h"
#include "tome/base/file.h"
#include "tome/documents/document_builder.h"
#include "tome/documents/document_codec.h"
#include "tome/documents/reader_frames.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Frame(char kind, std::string_view payload) {
  return FrameHeader(kind, payload.size()) + std::string(payload);
}

Document SmallDocument() {
  DocumentBuilder builder("text");
  builder.Paragraph("What the worker read.");
  return std::move(builder).Finish();
}

// Every worker here is a shell script. After each test no process is left.
class ReaderProcessTest : public testing::Test {
 protected:
  // Makes `script` the worker. The answer frames are in the file $ANSWER.
  void UseWorker(const std::string& script, std::string_view answer = {}) {
    WriteFile(folder_ / "answer", answer);
    WriteFile(folder_ / "worker",
              "#!/bin/sh\nANSWER='" + (folder_ / "answer").string() + "'\n" + script + "\n");
    std::filesystem::permissions(folder_ / "worker", std::filesystem::perms::owner_all);
  }

  Document Read(const ReadFileOptions& options = {}, const std::string& name = "a.txt") {
    const UniqueFd fd = OpenForReading(folder_ / "input");
    return ReadFileInProcess(fd.get(), name, options);
  }

  void TearDown() override {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD) << "a child is left";
  }

  static ReadFileOptions ImpatientOptions() {
    ReadFileOptions options;
    options.limits.stall_seconds = 1;
    return options;
  }

  const TempFolder folder_;
  const std::filesystem::path input_ = folder_.Write("input", "content of the file");
  const ScopedEnvironment program_{"TOME_READER", (folder_ / "worker").string()};
};

TEST_F(ReaderProcessTest, GivesTheDocumentThatTheWorkerAnswers) {
  UseWorker("cat $ANSWER", Frame(kDocumentFrame, EncodeDocument(SmallDocument())));
  EXPECT_EQ(Read(), SmallDocument());
}

TEST_F(ReaderProcessTest, ALargeDocumentComesInManyPieces) {
  DocumentBuilder builder("text");
  for (int i = 0; i < 50'000; ++i) builder.Paragraph("paragraph " + std::to_string(i));
  const Document document = std::move(builder).Finish();
  UseWorker("cat $ANSWER", Frame(kDocumentFrame, EncodeDocument(document)));
  EXPECT_EQ(Read(), document);
}

TEST_F(ReaderProcessTest, TheWorkerGetsTheWholeFileAndTheOptions) {
  UseWorker("cat > '" + (folder_ / "copy").string() + "'\nprintf '%s\\n' \"$@\" > '" +
                (folder_ / "arguments").string() + "'\ncat $ANSWER",
            Frame(kDocumentFrame, EncodeDocument(SmallDocument())));
  const UniqueFd fd = OpenForReading(input_);
  ASSERT_EQ(::lseek(fd.get(), 5, SEEK_SET), 5) << "as hashing or another reading leaves it";
  ReadFileOptions options;
  options.encoding = "GB18030";
  options.ocr = true;
  options.threads = 3;
  options.limits.memory_bytes = 12345678;
  ReadFileInProcess(fd.get(), "/some/folder/a name.txt", options);
  EXPECT_EQ(FileBytes(folder_ / "copy"), "content of the file");
  EXPECT_EQ(FileBytes(folder_ / "arguments"),
            "--name=a name.txt\n--threads=3\n--memory-bytes=12345678\n--encoding=GB18030\n--ocr\n");
  ReadFileInProcess(fd.get(), "a", {});
  EXPECT_THAT(FileBytes(folder_ / "arguments"), testing::Not(HasSubstr("--encoding")));
}

TEST_F(ReaderProcessTest, PassesProgressOn) {
  UseWorker("cat $ANSWER", Frame(kProgressFrame, R"({"stage":"pages","done":1,"total":3})") +
                               Frame(kProgressFrame, R"({"stage":"pages","done":2,"total":3})") +
                               Frame(kDocumentFrame, EncodeDocument(SmallDocument())));
  std::vector<std::string> reports;
  ReadFileOptions options;
  options.control.progress = [&](std::string_view stage, uint64_t done, uint64_t total) {
    reports.push_back(std::string(stage) + std::to_string(done) + "/" + std::to_string(total));
  };
  EXPECT_EQ(Read(options), SmallDocument());
  EXPECT_THAT(reports, ElementsAre("pages1/3", "pages2/3"));
}

TEST_F(ReaderProcessTest, GivesTheErrorThatTheWorkerAnswers) {
  UseWorker("cat $ANSWER",
            Frame(kErrorFrame,
                  R"({"code":"unsupported","message":"is encrypted","advice":[[0,8,"","",""]]})"));
  EXPECT_EQ(ErrorText([&] { Read(); }), "unsupported: is encrypted");
  EXPECT_THAT(ErrorOf([&] { Read(); }).value().advice(), ElementsAre(Advice::Use(Setting::kOcr)));
}

TEST_F(ReaderProcessTest, AnAnswerOfTheWrongKindIsCorrupt) {
  const std::string document = Frame(kDocumentFrame, EncodeDocument(SmallDocument()));
  const std::vector<std::string> answers = {
      Frame(kErrorFrame, "no JSON"),
      Frame(kErrorFrame, "[]"),
      Frame(kErrorFrame, R"({"code":7,"message":"m"})"),
      Frame(kErrorFrame, R"({"code":"io","message":["m"]})"),
      Frame(kErrorFrame, R"({"code":"io","message":"m","advice":[3]})"),
      Frame(kErrorFrame, R"({})"),
      Frame(kProgressFrame, R"({"stage":7,"done":1,"total":2})") + document,
      Frame(kProgressFrame, R"({"stage":"s","done":"x","total":2})") + document,
      Frame(kDocumentFrame, "no document"),
      Frame(kDocumentFrame, ""),
      Frame('X', "unknown kind"),
      std::string("garbage of more than nine bytes\n"),
      std::string("short\n"),
      document.substr(0, document.size() - 1),
      document.substr(0, kFrameHeaderBytes),
      std::string("D\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF more", 14),
      FrameHeader(kDocumentFrame, uint64_t{1} << 40),
  };
  for (const std::string& answer : answers) {
    UseWorker("cat $ANSWER", answer);
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(); })) << answer.substr(0, 60);
  }
}

TEST_F(ReaderProcessTest, AnErrorOfUnknownCodeIsCorruptWithItsMessage) {
  UseWorker("cat $ANSWER", Frame(kErrorFrame, R"({"code":"surprise","message":"boo"})"));
  EXPECT_EQ(ErrorText([&] { Read(); }), "corrupt: boo");
}

TEST_F(ReaderProcessTest, ACrashCostsTheDocumentAndNotTheCaller) {
  UseWorker("kill -SEGV $$");
  EXPECT_THAT(ErrorText([&] { Read(); }), HasSubstr("corrupt: the reader crashed on it (Segm"));
  UseWorker("kill -KILL $$");
  EXPECT_TRUE(Fails(Code::kOutOfMemory, [&] { Read(); }));
  UseWorker("kill -XCPU $$");
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { Read(); }));
}

TEST_F(ReaderProcessTest, AWorkerThatEndsWithoutAnAnswerIsABrokenInstallation) {
  UseWorker("exit 3");
  EXPECT_THAT(ErrorText([&] { Read(); }), HasSubstr("unavailable: the reader program ended with "
                                                    "status 3"));
  UseWorker("exit 0");
  EXPECT_TRUE(Fails(Code::kUnavailable, [&] { Read(); }));
}

TEST_F(ReaderProcessTest, AMissingProgramIsUnavailable) {
  const ScopedEnvironment missing("TOME_READER", (folder_ / "none").string());
  EXPECT_TRUE(Fails(Code::kUnavailable, [&] { Read(); }));
  EXPECT_THAT(ErrorText([&] { Read(); }), HasSubstr("TOME_READER"));
  const ScopedEnvironment no_program("TOME_READER", input_.string());
  EXPECT_TRUE(Fails(Code::kUnavailable, [&] { Read(); })) << "not executable";
}

TEST_F(ReaderProcessTest, ASilentWorkerIsStoppedAfterTheStallLimit) {
  UseWorker("exec sleep 1000");
  EXPECT_THAT(ErrorText([&] { Read(ImpatientOptions()); }),
              HasSubstr("unsupported: cannot be read within 1 seconds"));
}

TEST_F(ReaderProcessTest, AWorkerThatStallsInTheMiddleOfAnAnswerIsStopped) {
  UseWorker("cat $ANSWER; exec sleep 1000", FrameHeader(kDocumentFrame, 100) + "half");
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { Read(ImpatientOptions()); }));
}

TEST_F(ReaderProcessTest, AWorkerThatClosesItsOutputAndLivesOnIsStopped) {
  UseWorker("exec sleep 1000 >&-");
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { Read(ImpatientOptions()); }));
}

TEST_F(ReaderProcessTest, AStopRequestEndsTheWorker) {
  for (const char* script : {"exec sleep 1000", "exec sleep 1000 >&-"}) {
    UseWorker(script);
    std::stop_source source;
    ReadFileOptions options;
    options.control.stop = source.get_token();
    std::string error;
    {
      std::jthread reader([&] { error = ErrorText([&] { Read(options); }); });
      source.request_stop();
    }
    EXPECT_EQ(error, "cancelled: interrupted") << script;
  }
}

TEST_F(ReaderProcessTest, AWorkerThatAnswersAndLivesOnIsEnded) {
  UseWorker("cat $ANSWER; exec sleep 1000", Frame(kDocumentFrame, EncodeDocument(SmallDocument())));
  EXPECT_EQ(Read(), SmallDocument());
}

TEST(ReaderFramesTest, AHeaderGivesItsLengthBack) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{255}, uint64_t{65536},
                              uint64_t{0x0123456789ABCDEF}, ~uint64_t{0}}) {
    const std::string header = FrameHeader('D', size);
    EXPECT_EQ(header.size(), kFrameHeaderBytes);
    EXPECT_EQ(header[0], 'D');
    EXPECT_EQ(FramePayloadBytes(header), size);
  }
}

TEST(ReaderProgramTest, IsTheOneNamedElseBesideTheRunningProgramElseInLibexec) {
  {
    const ScopedEnvironment named("TOME_READER", "/opt/reader");
    EXPECT_EQ(ReaderProgram(), "/opt/reader");
  }
  const ScopedEnvironment unnamed("TOME_READER", nullptr);
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  EXPECT_THAT((std::vector<std::filesystem::path>{
                  self.parent_path() / "tome-reader",
                  self.parent_path().parent_path() / "libexec/tome/tome-reader"}),
              testing::Contains(ReaderProgram()));
}

}  // namespace
}  // namespace tome
