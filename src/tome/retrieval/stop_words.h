// Words that form a question without saying what it is about.
#pragma once

#include <cstddef>
#include <string_view>

namespace tome {

// `word` is in lower case and not stemmed.
bool IsEnglishStopWord(std::string_view word);
// `word` is a word of ICU's dictionary, with its characters folded (text/han_folding.h).
bool IsChineseStopWord(std::string_view word);

// Returns the bytes of the question phrase that `text` begins with, the longest one, and 0 where
// there is none. A question phrase ("什么时候", "多少钱", "是不是") asks and names nothing,
// however a dictionary cuts it. `text` has its characters folded.
size_t ChineseQuestionPhraseAt(std::string_view text);

}  // namespace tome
