#include "tome/text/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "tome/text/tokenizer/char_classes.h"
#include "tome/text/tokenizer/regex.h"

namespace tome {
namespace {

// A step that splits each word and leaves the text as it is.
class SplittingStep : public PreTokenizerStep {
 public:
  void Apply(WordList& list) const final {
    list.buffer.clear();
    for (const Span word : list.words) SplitWord(list.text, word, list.buffer);
    std::swap(list.words, list.buffer);
  }

 protected:
  virtual void SplitWord(std::string_view text, Span word, std::vector<Span>& out) const = 0;
};

// Writes the words that the `matches` of a pattern make of `word`.
void Distribute(Span word, const std::vector<Span>& matches, SplitBehavior behavior,
                SplitMatch side, std::vector<Span>& out) {
  const bool invert = side == SplitMatch::kBetween;
  struct Part {
    Span span;
    bool is_match;
  };
  std::vector<Part> parts;
  uint32_t done = word.begin;
  for (const Span& match : matches) {
    if (done < match.begin) parts.push_back({{done, match.begin}, invert});
    parts.push_back({match, !invert});
    done = match.end;
  }
  if (done < word.end) parts.push_back({{done, word.end}, invert});
  const size_t first = out.size();
  bool before_was_match = false;
  bool open = false;  // kMergedWithNext: the last word waits for the text after it
  for (const Part& part : parts) {
    const bool has_before = out.size() > first;
    switch (behavior) {
      case SplitBehavior::kIsolated:
        out.push_back(part.span);
        break;
      case SplitBehavior::kRemoved:
        if (!part.is_match) out.push_back(part.span);
        break;
      case SplitBehavior::kMergedWithPrevious:
        if (part.is_match && !before_was_match && has_before) {
          out.back().end = part.span.end;
        } else {
          out.push_back(part.span);
        }
        break;
      case SplitBehavior::kMergedWithNext:
        if (!part.is_match && open) {
          out.back().end = part.span.end;
        } else {
          out.push_back(part.span);
        }
        open = part.is_match;
        break;
      case SplitBehavior::kContiguous:
        if (has_before && part.is_match == before_was_match) {
          out.back().end = part.span.end;
        } else {
          out.push_back(part.span);
        }
        break;
    }
    before_was_match = part.is_match;
  }
}

class Pattern : public SplittingStep {
 public:
  explicit Pattern(WordPattern pattern) : pattern_(pattern) {}

 private:
  void SplitWord(std::string_view text, Span word, std::vector<Span>& out) const override {
    SplitByPattern(pattern_, text, word, out);
  }
  WordPattern pattern_;
};

class Runs : public SplittingStep {
 public:
  explicit Runs(RunPattern pattern) : pattern_(std::move(pattern)) {}

 private:
  void SplitWord(std::string_view text, Span word, std::vector<Span>& out) const override {
    SplitByRuns(pattern_, text, word, out);
  }
  RunPattern pattern_;
};

class TrailingSpace : public SplittingStep {
  void SplitWord(std::string_view text, Span word, std::vector<Span>& out) const override {
    SplitTrailingSpace(text, word, out);
  }
};

class RegexSplit : public SplittingStep {
 public:
  RegexSplit(std::string_view pattern, SplitBehavior behavior, SplitMatch match, std::string field)
      : regex_(pattern, std::move(field)), behavior_(behavior), match_(match) {}

 private:
  void SplitWord(std::string_view text, Span word, std::vector<Span>& out) const override {
    Distribute(word, regex_.FindAll(text, word), behavior_, match_, out);
  }
  Regex regex_;
  SplitBehavior behavior_;
  SplitMatch match_;
};

class LiteralSplit : public SplittingStep {
 public:
  LiteralSplit(std::string literal, SplitBehavior behavior, SplitMatch match)
      : literal_(std::move(literal)), behavior_(behavior), match_(match) {}

 private:
  void SplitWord(std::string_view text, Span word, std::vector<Span>& out) const override {
    std::vector<Span> matches;
    const std::string_view part = text.substr(0, word.end);
    for (size_t at = literal_.empty() ? std::string_view::npos : part.find(literal_, word.begin);
         at != std::string_view::npos; at = part.find(literal_, at + literal_.size())) {
      matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + literal_.size())});
    }
    Distribute(word, matches, behavior_, match_, out);
  }
  std::string literal_;
  SplitBehavior behavior_;
  SplitMatch match_;
};

class CharSplit : public SplittingStep {
 public:
  CharSplit(CharKind kind, SplitBehavior behavior) : kind_(kind), behavior_(behavior) {}

 private:
  bool Matches(char32_t c) const {
    const ClassBits bits = CharClasses::Get().Of(c);
    switch (kind_) {
      case CharKind::kWhiteSpace:
        return (bits & kSpace) != 0;
      case CharKind::kSign:
        return (bits & kPunctuation) != 0 || (c < 0x7F && (bits & kSymbol) != 0);
      case CharKind::kDigit:
        return (bits & kNumber) != 0;
    }
    return false;
  }
  void SplitWord(std::string_view text, Span word, std::vector<Span>& out) const override {
    std::vector<Span> matches;
    const std::string_view part = text.substr(0, word.end);
    for (size_t i = word.begin; i < word.end;) {
      const TextChar c = CharAt(part, i);
      if (Matches(c.code_point)) {
        matches.push_back({static_cast<uint32_t>(i), static_cast<uint32_t>(i + c.bytes)});
      }
      i += c.bytes;
    }
    Distribute(word, matches, behavior_, SplitMatch::kPattern, out);
  }
  CharKind kind_;
  SplitBehavior behavior_;
};

class WordSplit : public SplittingStep {
  void SplitWord(std::string_view text, Span word, std::vector<Span>& out) const override {
    const CharClasses& classes = CharClasses::Get();
    const std::string_view part = text.substr(0, word.end);
    enum class Kind { kSpace, kWord, kSign };
    Kind before = Kind::kSpace;
    for (size_t i = word.begin; i < word.end;) {
      const TextChar c = CharAt(part, i);
      const ClassBits bits = classes.Of(c.code_point);
      const Kind kind = (bits & kWordChar) != 0 ? Kind::kWord
                        : (bits & kSpace) != 0  ? Kind::kSpace
                                                : Kind::kSign;
      const Span span{static_cast<uint32_t>(i), static_cast<uint32_t>(i + c.bytes)};
      if (kind != Kind::kSpace) {
        if (kind == before) {
          out.back().end = span.end;
        } else {
          out.push_back(span);
        }
      }
      before = kind;
      i += c.bytes;
    }
  }
};

class PrefixSpace : public PreTokenizerStep {
 public:
  void Apply(WordList& list) const override {
    std::string text;
    for (Span& word : list.words) {
      const auto begin = static_cast<uint32_t>(text.size());
      const std::string_view part = list.text.substr(word.begin, word.end - word.begin);
      if (part[0] != ' ') text += ' ';
      text += part;
      word = {begin, static_cast<uint32_t>(text.size())};
    }
    list.owned = std::move(text);
    list.text = list.owned;
  }
};

class Metaspace : public PreTokenizerStep {
 public:
  Metaspace(std::string replacement, PrependScheme scheme, bool split)
      : replacement_(std::move(replacement)), scheme_(scheme), split_(split) {}
  void Apply(WordList& list) const override {
    std::string text;
    text.reserve(list.text.size() + list.text.size() / 2);
    list.buffer.clear();
    bool first = true;
    for (const Span& word : list.words) {
      const std::string_view part = list.text.substr(word.begin, word.end - word.begin);
      const size_t begin = text.size();
      const bool prepend = scheme_ == PrependScheme::kAlways ||
                           (scheme_ == PrependScheme::kFirst && list.at_start && first);
      first = false;
      if (prepend && part[0] != ' ' && !part.starts_with(replacement_)) text += replacement_;
      for (const char c : part) {
        if (c == ' ') {
          text += replacement_;
        } else {
          text += c;
        }
      }
      AddWords(text, begin, list.buffer);
    }
    std::swap(list.words, list.buffer);
    list.owned = std::move(text);
    list.text = list.owned;
  }

 private:
  void AddWords(std::string_view text, size_t begin, std::vector<Span>& out) const {
    while (split_) {
      const size_t next = text.find(replacement_, begin + 1);
      if (next == std::string_view::npos) break;
      out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(next)});
      begin = next;
    }
    if (begin < text.size()) {
      out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(text.size())});
    }
  }

  std::string replacement_;
  PrependScheme scheme_;
  bool split_;
};

}  // namespace

std::unique_ptr<PreTokenizerStep> PatternStep(WordPattern pattern) {
  return std::make_unique<Pattern>(pattern);
}
std::unique_ptr<PreTokenizerStep> RunStep(RunPattern pattern) {
  return std::make_unique<Runs>(std::move(pattern));
}
std::unique_ptr<PreTokenizerStep> TrailingSpaceStep() { return std::make_unique<TrailingSpace>(); }
std::unique_ptr<PreTokenizerStep> RegexStep(std::string_view pattern, SplitBehavior behavior,
                                            SplitMatch match, std::string field) {
  return std::make_unique<RegexSplit>(pattern, behavior, match, std::move(field));
}
std::unique_ptr<PreTokenizerStep> LiteralStep(std::string literal, SplitBehavior behavior,
                                              SplitMatch match) {
  return std::make_unique<LiteralSplit>(std::move(literal), behavior, match);
}
std::unique_ptr<PreTokenizerStep> CharStep(CharKind kind, SplitBehavior behavior) {
  return std::make_unique<CharSplit>(kind, behavior);
}
std::unique_ptr<PreTokenizerStep> WordStep() { return std::make_unique<WordSplit>(); }
std::unique_ptr<PreTokenizerStep> PrefixSpaceStep() { return std::make_unique<PrefixSpace>(); }
std::unique_ptr<PreTokenizerStep> MetaspaceStep(std::string replacement, PrependScheme scheme,
                                                bool split) {
  return std::make_unique<Metaspace>(std::move(replacement), scheme, split);
}

}  // namespace tome
