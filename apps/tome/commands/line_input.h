// LineInput reads lines of a descriptor and notices a stop request while it waits, so that Ctrl-C
// ends the reading of a terminal.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

namespace tome {

// A line longer than kMaxLineBytes throws Error(kInvalidArgument).
class LineInput {
 public:
  static constexpr size_t kMaxLineBytes = size_t{1} << 20;

  LineInput(int fd, std::stop_token stop) : fd_(fd), stop_(std::move(stop)) {}

  // Returns the next line without its line end. Empty at the end of the input. Throws
  // Error(kCancelled) when a stop was requested and Error(kIo) where reading fails.
  std::optional<std::string> Next();

 private:
  int fd_;
  std::stop_token stop_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace tome
