// Runs the regular expressions of tokenizer files over UTF-8, by ICU.
//
// The files write them for the engine of the Rust library `tokenizers`. Escapes that mean something
// else to ICU are translated (\s is White_Space). A file is not trusted: an expression that takes
// too long or too much stack on a text throws Error(kUnsupported) instead of hanging.
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

  // Throws Error(kUnsupported) naming `field` for an expression that is too long or that ICU does
  // not understand.
  Regex(std::string_view pattern, std::string field);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // Returns the matches in text[within] that are not empty, in order.
  std::vector<Span> FindAll(std::string_view text, Span within) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
  std::string field_;
};

}  // namespace tome
