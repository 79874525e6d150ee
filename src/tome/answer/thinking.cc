#include "tome/answer/thinking.h"

#include <algorithm>
#include <utility>

namespace tome {
namespace {

constexpr std::string_view kBegin = "<think>";
constexpr std::string_view kEnd = "</think>";
constexpr std::string_view kSpace = " \t\r\n";

}  // namespace

std::string ThinkingFilter::Push(std::string_view text) {
  if (state_ == State::kAnswer) return std::string(text);
  held_ += text;
  if (state_ == State::kUnknown) {
    const size_t begin = std::min(held_.find_first_not_of(kSpace), held_.size());
    const std::string_view rest = std::string_view(held_).substr(begin);
    if (rest.starts_with(kBegin)) {
      state_ = State::kThinking;
      held_.erase(0, begin + kBegin.size());
    } else if (rest.size() < kBegin.size() && kBegin.starts_with(rest)) {
      return {};
    } else {
      state_ = State::kAnswer;
      return std::exchange(held_, {});
    }
  }
  if (state_ == State::kThinking) {
    const size_t end = held_.find(kEnd);
    if (end == std::string::npos) {
      held_.erase(0, held_.size() - std::min(held_.size(), kEnd.size() - 1));
      return {};
    }
    held_.erase(0, end + kEnd.size());
    state_ = State::kBehind;
  }
  // The empty lines between thinking and answer are dropped.
  const size_t begin = held_.find_first_not_of(kSpace);
  if (begin == std::string::npos) return {};
  state_ = State::kAnswer;
  return std::exchange(held_, {}).substr(begin);
}

std::string ThinkingFilter::Finish() {
  if (state_ == State::kUnknown) return std::exchange(held_, {});
  return {};
}

}  // namespace tome
