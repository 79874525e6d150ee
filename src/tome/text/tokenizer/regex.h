// Regular expressions of tokenizer files, by ICU, over UTF-8.
//
// The files write them for the engine of the Rust library that reads them; where ICU means
// something else by the same letters they are translated (\s is White_Space). A file is not
// trusted: an expression that takes too long or too much stack on a text is an Error(kUnsupported),
// not a hang.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/tokenizer/word_patterns.h"

namespace tome {

class Regex {
 public:
  static constexpr size_t kMaxPatternBytes = 16384;

  // Throws Error(kUnsupported) that names `field` for an expression ICU does not take.
  Regex(std::string_view pattern, std::string field);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // The matches in text[within] that are not empty, in order.
  std::vector<Span> FindAll(std::string_view text, Span within) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
  std::string field_;
};

}  // namespace tome
