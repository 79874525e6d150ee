// Filters any text as the output of a reasoning model. However the text is cut, the same answer
// follows the thinking, and the answer is the end of the text. The lowest bit of the first byte
// says whether the template began the thinking; the other bytes are the text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tome/answer/thinking.h"
#include "tome/base/error.h"

namespace {

using Start = tome::ThinkingFilter::Start;

struct Filtered {
  std::string answer;
  bool is_thinking = false;
};

// Filters the text in pieces of 1 to `largest` bytes. A linear congruential generator chooses their
// sizes.
Filtered Filter(std::string_view text, Start start, uint32_t seed, size_t largest) {
  tome::ThinkingFilter filter(start);
  Filtered filtered;
  while (!text.empty()) {
    seed = seed * 1664525U + 1013904223U;
    const size_t size = std::min(text.size(), 1 + (seed >> 8) % largest);
    filtered.answer += filter.Push(text.substr(0, size));
    text.remove_prefix(size);
  }
  filtered.is_thinking = filter.is_thinking();
  filtered.answer += filter.Finish();
  return filtered;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Start start = (data[0] & 1) != 0 ? Start::kThinking : Start::kUnknown;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Filtered whole = Filter(text, start, 0, SIZE_MAX);
  for (const size_t largest : {size_t{1}, size_t{5}}) {
    const Filtered cut = Filter(text, start, static_cast<uint32_t>(size), largest);
    TOME_CHECK(cut.answer == whole.answer);
    TOME_CHECK(cut.is_thinking == whole.is_thinking);
  }
  TOME_CHECK(text.ends_with(whole.answer));
  TOME_CHECK(!whole.is_thinking || whole.answer.empty());
  return 0;
}
