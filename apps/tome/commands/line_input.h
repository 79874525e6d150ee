// Lines of a descriptor, with an eye on Ctrl-C: reading a terminal must end when the user asks.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

namespace tome {

// A line longer than kMaxLineBytes is Error(kInvalidArgument).
class LineInput {
 public:
  static constexpr size_t kMaxLineBytes = size_t{1} << 20;

  LineInput(int fd, std::stop_token stop) : fd_(fd), stop_(std::move(stop)) {}

  // The next line without its end; nothing at the end of the input. Error(kCancelled) when stop was
  // requested, Error(kIo) when reading fails.
  std::optional<std::string> Next();

 private:
  int fd_;
  std::stop_token stop_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace tome
