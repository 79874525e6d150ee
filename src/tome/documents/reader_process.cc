#include "tome/documents/reader_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/documents/document_codec.h"
#include "tome/documents/limits.h"
#include "tome/documents/reader_frames.h"

extern char** environ;

namespace tome {
namespace {

using nlohmann::json;

// How often a silent worker makes us look at the stop token.
constexpr int kPollMs = 50;
// A frame holds a document's text and its header.
constexpr uint64_t kMaxFrameBytes = kMaxTextBytes + (uint64_t{256} << 20);

// A started worker. Its end of scope kills what still runs and reaps it, so no zombie is left.
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
    // What parsers print about a bad file is not for the reader of the document.
    if (std::getenv("TOME_READER_STDERR") == nullptr) {
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    // Its own process group: Ctrl-C at the terminal reaches Tome alone, which then ends the worker.
    // An empty signal mask: Tome's own is not the worker's.
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

  // Waits for the end of the process and gives its wait status.
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

// Reads frames from the worker, watching the clock and the stop token.
class FrameReader {
 public:
  FrameReader(int fd, const ReadFileOptions& options) : fd_(fd), options_(options) {}

  // False when the worker closed its output between two frames.
  bool Next(char& kind, std::string& payload) {
    std::string header(kFrameHeaderBytes, '\0');
    if (!Fill(header, /*first=*/true)) return false;
    kind = header[0];
    const uint64_t bytes = FramePayloadBytes(header);
    if (bytes > kMaxFrameBytes) throw Error(Code::kCorrupt, "the reader's answer is malformed");
    payload.resize(bytes);
    Fill(payload, /*first=*/false);
    return true;
  }

 private:
  bool Fill(std::string& buffer, bool first) {
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
          throw Error(Code::kUnsupported,
                      fmt::format("cannot be read within {} seconds without progress; it is too "
                                  "large or made to be slow",
                                  options_.limits.stall_seconds));
        }
        continue;
      }
      const ssize_t count = ::read(fd_, buffer.data() + used, buffer.size() - used);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw SystemError("the reader's pipe", errno);
      if (count == 0) {
        if (first && used == 0) return false;
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

// A member of what the worker sent, which may be anything: empty or 0
// where it is missing or of another type.
std::string StringOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

uint64_t NumberOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

void ReportProgress(const std::string& payload, const WorkControl& control) {
  const json progress = json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!progress.is_object()) return;
  control.Report(StringOf(progress, "stage"), NumberOf(progress, "done"),
                 NumberOf(progress, "total"));
}

[[noreturn]] void ThrowReported(const std::string& payload) {
  const json error = json::parse(payload, nullptr, /*allow_exceptions=*/false);
  const std::string message = error.is_object() ? StringOf(error, "message") : "";
  if (message.empty()) throw Error(Code::kCorrupt, "the reader failed without saying why");
  throw Error(CodeFromName(StringOf(error, "code")), message);
}

// The worker ended without an answer.
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
  const std::filesystem::path beside = self.parent_path() / "tome-reader";
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
      throw Error(Code::kCorrupt, "the reader's answer is malformed");
    }
  }
  ThrowEnded(worker.Wait());
}

}  // namespace tome
