#include "tome/documents/reader_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/documents/advice_json.h"
#include "tome/documents/document_codec.h"
#include "tome/documents/limits.h"
#include "tome/documents/reader_frames.h"

extern char** environ;

namespace tome {
namespace {

using nlohmann::json;

// The stop token is checked this often while the worker is silent.
constexpr int kPollMs = 50;
// A frame holds a document's text and its header.
constexpr uint64_t kMaxFrameBytes = kMaxTextBytes + (uint64_t{256} << 20);

[[noreturn]] void ThrowStalled(const ReadFileOptions& options) {
  throw Error(Code::kUnsupported,
              fmt::format("cannot be read within {} seconds without progress; it is too large or "
                          "made to be slow",
                          options.limits.stall_seconds));
}

// A Worker is a started worker process. Its destructor kills the process if it still runs and reaps
// it, so that no zombie is left.
class Worker {
 public:
  Worker(int input, const std::vector<std::string>& arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw SystemError("the reader's pipe", errno);
    output_ = UniqueFd(ends[0]);
    const UniqueFd write_end(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
    // The messages that parsers print about a bad file are not for the user.
    if (std::getenv("TOME_READER_STDERR") == nullptr) {
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    // The worker gets its own process group: Ctrl-C at the terminal reaches Tome alone, which then
    // ends the worker. It gets an empty signal mask, because Tome's own mask is not meant for it.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t no_signals;
    sigemptyset(&no_signals);
    posix_spawnattr_setsigmask(&attributes, &no_signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    const int result = ::posix_spawn(&pid_, argv[0], &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (result != 0) {
      pid_ = -1;
      throw Error(
          Code::kUnavailable,
          fmt::format("the reader program cannot be started ({}: {}); reinstall Tome or set "
                      "TOME_READER",
                      argv[0], std::strerror(result)));
    }
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    Wait();
  }

  int output() const { return output_.get(); }

  // Returns the wait status of a worker that has closed its output and so is about to end. A worker
  // that does not end counts as stalled.
  int WaitWithin(const ReadFileOptions& options) {
    const auto start = std::chrono::steady_clock::now();
    for (;;) {
      siginfo_t info{};
      const int result =
          ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
      if (result == 0 && info.si_pid == pid_) return Wait();
      if (result != 0 && errno != EINTR) throw SystemError("the reader", errno);
      options.control.CheckStop();
      if (std::chrono::steady_clock::now() - start >
          std::chrono::seconds(options.limits.stall_seconds)) {
        ThrowStalled(options);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  // Waits for the end of the process and returns its wait status.
  int Wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  UniqueFd output_;
};

// Reads frames from the worker and watches the clock and the stop token.
class FrameReader {
 public:
  FrameReader(int fd, const ReadFileOptions& options) : fd_(fd), options_(options) {}

  // Returns false when the worker closed its output between two frames.
  bool Next(char& kind, std::string& payload) {
    std::string header(kFrameHeaderBytes, '\0');
    if (!Fill(header, EndOfOutput::kAllowed)) return false;
    kind = header[0];
    const uint64_t bytes = FramePayloadBytes(header);
    if (bytes > kMaxFrameBytes) throw Error(Code::kCorrupt, "the reader's answer is malformed");
    payload.resize(bytes);
    Fill(payload, EndOfOutput::kNot);
    return true;
  }

 private:
  // Says whether the worker may close its output instead of writing the next byte.
  enum class EndOfOutput { kAllowed, kNot };

  // Fills `buffer`. Returns false where the output ends before the first byte, as `end` allows.
  bool Fill(std::string& buffer, EndOfOutput end) {
    size_t used = 0;
    auto last_byte = std::chrono::steady_clock::now();
    while (used < buffer.size()) {
      options_.control.CheckStop();
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      const int ready = ::poll(&waiting, 1, kPollMs);
      if (ready < 0 && errno != EINTR) throw SystemError("the reader's pipe", errno);
      const auto now = std::chrono::steady_clock::now();
      if (ready <= 0) {
        if (now - last_byte > std::chrono::seconds(options_.limits.stall_seconds)) {
          ThrowStalled(options_);
        }
        continue;
      }
      const ssize_t count = ::read(fd_, buffer.data() + used, buffer.size() - used);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw SystemError("the reader's pipe", errno);
      if (count == 0) {
        if (end == EndOfOutput::kAllowed && used == 0) return false;
        throw Error(Code::kCorrupt, "the reader stopped in the middle of its answer");
      }
      used += static_cast<size_t>(count);
      last_byte = now;
    }
    return true;
  }

  int fd_;
  const ReadFileOptions& options_;
};

[[noreturn]] void ThrowMalformed() {
  throw Error(Code::kCorrupt, "the reader's answer is malformed");
}

void ReportProgress(const std::string& payload, const WorkControl& control) {
  std::string stage;
  uint64_t done = 0;
  uint64_t total = 0;
  try {
    const json progress = json::parse(payload);
    progress.at("stage").get_to(stage);
    progress.at("done").get_to(done);
    progress.at("total").get_to(total);
  } catch (const json::exception&) {
    ThrowMalformed();
  }
  control.Report(stage, done, total);
}

[[noreturn]] void ThrowReported(const std::string& payload) {
  std::string code;
  std::string message;
  std::vector<Advice> advice;
  try {
    const json error = json::parse(payload);
    error.at("code").get_to(code);
    error.at("message").get_to(message);
    advice = AdviceFromJson(error.value("advice", json::array()));
  } catch (const json::exception&) {
    ThrowMalformed();
  }
  throw Error(CodeFromName(code), message, std::move(advice));
}

// Throws the Error for a worker that ended without an answer.
[[noreturn]] void ThrowEnded(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGXCPU) {
      throw Error(Code::kUnsupported,
                  "takes too much time to read; it is too large or made to be slow");
    }
    if (signal == SIGKILL) {
      throw Error(Code::kOutOfMemory, "the reader was killed, most likely for want of memory");
    }
    throw Error(
        Code::kCorrupt,
        fmt::format("the reader crashed on it ({}); the file is damaged or made to crash readers",
                    ::strsignal(signal)));
  }
  throw Error(Code::kUnavailable,
              fmt::format("the reader program ended with status {} and no answer; reinstall Tome",
                          WIFEXITED(status) ? WEXITSTATUS(status) : status));
}

}  // namespace

std::filesystem::path ReaderProgram() {
  if (const char* named = std::getenv("TOME_READER"); named != nullptr && *named != '\0')
    return named;
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path beside = self.parent_path() / "tome-reader";
  if (std::filesystem::exists(beside, error)) return beside;
  return self.parent_path().parent_path() / "libexec" / "tome" / "tome-reader";
}

Document ReadFileInProcess(int fd, const std::string& file_name, const ReadFileOptions& options) {
  if (::lseek(fd, 0, SEEK_SET) < 0) throw SystemError("cannot be read from its start", errno);
  std::vector<std::string> arguments{
      ReaderProgram().string(),
      fmt::format("--name={}", std::filesystem::path(file_name).filename().string()),
      fmt::format("--threads={}", options.threads),
      fmt::format("--memory-bytes={}", options.limits.memory_bytes)};
  if (!options.encoding.empty())
    arguments.push_back(fmt::format("--encoding={}", options.encoding));
  if (options.ocr) arguments.emplace_back("--ocr");

  Worker worker(fd, arguments);
  FrameReader frames(worker.output(), options);
  char kind = 0;
  std::string payload;
  while (frames.Next(kind, payload)) {
    if (kind == kProgressFrame) {
      ReportProgress(payload, options.control);
    } else if (kind == kDocumentFrame) {
      return DecodeDocument(payload);
    } else if (kind == kErrorFrame) {
      ThrowReported(payload);
    } else {
      ThrowMalformed();
    }
  }
  ThrowEnded(worker.WaitWithin(options));
}

}  // namespace tome
