// Splits a text that is longer than an encoder's window.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "tome/text/sentences.h"

namespace tome {

// Returns the number of tokens of a text with all that is put around it.
using CountTokensFn = std::function<int64_t(std::string_view text)>;

// Returns neighbouring parts of `text`, of about the same length, that have at most `max_tokens`
// tokens each; put together they are the text. A part ends at a sentence's end where one is near,
// else before a word, else between two characters. A text that fits is its only part. A single
// character may have more tokens than fit; it is a part by itself.
std::vector<std::string_view> SplitToFit(std::string_view text, int64_t max_tokens,
                                         const CountTokensFn& count, SentenceSplitter& sentences);

}  // namespace tome
