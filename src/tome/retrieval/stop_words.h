// Words that form a question without saying what it is about.
#pragma once

#include <string_view>

namespace tome {

// `word` is in lower case and not stemmed.
bool IsEnglishStopWord(std::string_view word);
// `word` is cut by ICU's dictionary.
bool IsChineseStopWord(std::string_view word);

}  // namespace tome
