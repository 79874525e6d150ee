#include "apps/tome-reader/tesseract.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>
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

// Both ends of a stream to or from a child. Sockets rather than pipes: a child that ends early makes
// send() fail, where a pipe would raise SIGPIPE.
struct Stream {
  Stream() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      throw SystemError("tesseract", errno);
    }
    ours = UniqueFd(ends[0]);
    childs = UniqueFd(ends[1]);
  }

  UniqueFd ours;
  UniqueFd childs;
};

// Sends what the child is ready to take of `input`, and returns the rest. A child that has closed
// its input takes the rest unread.
std::string_view SendSome(int fd, std::string_view input) {
  const ssize_t sent = send(fd, input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return input.substr(static_cast<size_t>(sent));
  if (errno == EPIPE || errno == ECONNRESET) return {};
  if (errno != EAGAIN && errno != EINTR) throw SystemError("tesseract", errno);
  return input;
}

// Gives the child its input and returns its output. No file holds the image, not even one in
// memory: the reader's limits forbid writing files.
std::string Exchange(UniqueFd to_child, int from_child, std::string_view input,
                     const WorkControl& control) {
  std::string output;
  std::array<char, 65536> buffer;
  while (true) {
    control.CheckStop();
    if (input.empty()) to_child.Reset();
    std::array<pollfd, 2> ends{pollfd{.fd = from_child, .events = POLLIN, .revents = 0},
                               pollfd{.fd = to_child.get(), .events = POLLOUT, .revents = 0}};
    const int polled = poll(ends.data(), ends.size(), kPollMs);
    if (polled == 0 || (polled < 0 && errno == EINTR)) continue;
    if (polled < 0) throw SystemError("tesseract", errno);
    if (ends[1].revents != 0) input = SendSome(to_child.get(), input);
    if (ends[0].revents == 0) continue;
    const ssize_t count = read(from_child, buffer.data(), buffer.size());
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
  Stream in;
  Stream out;
  Child child(arguments, in.childs.get(), out.childs.get());
  in.childs.Reset();
  out.childs.Reset();  // otherwise the end of the output would never be seen
  std::string output = Exchange(std::move(in.ours), out.ours.get(), input, control);
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
