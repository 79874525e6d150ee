#include "apps/tome-reader/tesseract.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "tome/base/error.h"
#include "tome/base/file.h"

namespace tome {
namespace {

constexpr std::array<std::string_view, 5> kLanguages{"eng", "chi_sim", "chi_tra", "jpn", "kor"};

constexpr std::string_view kInstall =
    "OCR needs tesseract and its languages; install them: "
    "apt install tesseract-ocr tesseract-ocr-eng tesseract-ocr-chi-sim";
// The TSV of one page has some 70 bytes a word.
constexpr size_t kMaxOutputBytes = size_t{64} << 20;
constexpr int kPollMs = 100;

// A Child is a running child process. It is killed and waited for when it goes out of scope before
// its end.
class Child {
 public:
  Child(const std::vector<std::string>& arguments, int input, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    // Pages run in parallel already; tesseract's own threads would only wait for each other.
    std::string one_thread = "OMP_THREAD_LIMIT=1";
    std::vector<char*> environment{one_thread.data()};
    for (char** entry = environ; *entry != nullptr; ++entry) {
      if (!std::string_view(*entry).starts_with("OMP_")) environment.push_back(*entry);
    }
    environment.push_back(nullptr);
    const int failure =
        posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failure == 0) return;
    pid_ = -1;
    if (failure == ENOENT) throw Error(Code::kUnavailable, std::string(kInstall));
    throw SystemError("tesseract", failure);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child(Child&&) = delete;
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);
    Wait();
  }

  // Waits for the process and returns its status as waitpid gives it.
  int Wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

// Returns a file in memory that a child can read from its start.
UniqueFd InputOf(std::string_view bytes) {
  UniqueFd fd(memfd_create("tome-page", MFD_CLOEXEC));
  if (!fd.valid()) throw SystemError("memory for a page image", errno);
  WriteAll(fd.get(), bytes, "page image");
  if (lseek(fd.get(), 0, SEEK_SET) != 0) throw SystemError("page image", errno);
  return fd;
}

std::string ReadOutput(int fd, const WorkControl& control) {
  std::string output;
  std::array<char, 65536> buffer;
  while (true) {
    control.CheckStop();
    pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
    const int polled = poll(&ready, 1, kPollMs);
    if (polled == 0 || (polled < 0 && errno == EINTR)) continue;
    if (polled < 0) throw SystemError("tesseract", errno);
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError("tesseract", errno);
    if (count == 0) return output;
    output.append(buffer.data(), static_cast<size_t>(count));
    if (output.size() > kMaxOutputBytes) {
      throw Error(Code::kIo, "tesseract gave more text than a page can hold");
    }
  }
}

std::string Run(const std::vector<std::string>& arguments, std::string_view input,
                const WorkControl& control) {
  const UniqueFd in = InputOf(input);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw SystemError("tesseract", errno);
  const UniqueFd out(ends[0]);
  UniqueFd child_out(ends[1]);
  Child child(arguments, in.get(), child_out.get());
  child_out.Reset();  // otherwise the end of the output would never be seen
  std::string output = ReadOutput(out.get(), control);
  const int status = child.Wait();
  if (status != 0) {
    throw Error(
        Code::kIo,
        fmt::format("tesseract failed ({} {})", WIFSIGNALED(status) ? "signal" : "exit status",
                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
  }
  return output;
}

}  // namespace

std::string TesseractLanguages(const WorkControl& control) {
  const std::string listed = "\n" + Run({"tesseract", "--list-langs"}, "", control) + "\n";
  std::string languages;
  for (const std::string_view language : kLanguages) {
    if (listed.find(fmt::format("\n{}\n", language)) == std::string::npos) continue;
    languages += fmt::format("{}{}", languages.empty() ? "" : "+", language);
  }
  if (languages.empty()) throw Error(Code::kUnavailable, std::string(kInstall));
  return languages;
}

std::string RunTesseract(std::string_view image, int dpi, std::string_view languages,
                         const WorkControl& control) {
  return Run({"tesseract", "stdin", "stdout", "--dpi", std::to_string(dpi), "-l",
              std::string(languages), "tsv"},
             image, control);
}

}  // namespace tome
