// Words that a question is made with and not about.
#pragma once

#include <string_view>

namespace tome {

// `word` in lower case, not stemmed.
bool IsEnglishStopWord(std::string_view word);
// A word as ICU's dictionary cuts it.
bool IsChineseStopWord(std::string_view word);

}  // namespace tome
