#include "commands/line_input.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "tome/base/error.h"

namespace tome {

std::optional<std::string> LineInput::Next() {
  constexpr int kPollMs = 50;  // delay until a stop is noticed
  for (;;) {
    if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (ended_) {
      if (buffer_.empty()) return std::nullopt;
      return std::exchange(buffer_, {});
    }
    if (buffer_.size() > kMaxLineBytes) {
      throw Error(Code::kInvalidArgument, "standard input: a line is longer than 1 MiB");
    }
    if (stop_.stop_requested()) throw Error(Code::kCancelled, "interrupted");
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    const int count = ::poll(&ready, 1, kPollMs);
    if (count == 0 || (count < 0 && errno == EINTR)) continue;
    std::array<char, 4096> chunk;
    const ssize_t size = ::read(fd_, chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw SystemError("standard input", errno);
    ended_ = size == 0;
    buffer_.append(chunk.data(), static_cast<size_t>(size));
  }
}

}  // namespace tome
