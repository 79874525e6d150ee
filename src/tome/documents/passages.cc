#include "tome/documents/passages.h"

#include <algorithm>
#include <string>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n";

TextSpan Trim(std::string_view text, TextSpan span) {
  const std::string_view part = text.substr(span.begin, span.size());
  const size_t first = part.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {.begin = span.begin, .end = span.begin};
  const size_t last = part.find_last_not_of(kWhiteSpace);
  return {.begin = span.begin + first, .end = span.begin + last + 1};
}

// Walks the blocks of a text: runs without an empty line and without the begin of a section inside.
class BlockReader {
 public:
  explicit BlockReader(const Document& document) : document_(document) {}

  // The next block that holds more than white space; false at the end.
  bool Next(TextSpan& block) {
    while (position_ < document_.text.size()) {
      uint64_t end =
          std::min<uint64_t>(document_.text.find("\n\n", position_), document_.text.size());
      while (next_section_ < document_.sections.size() &&
             document_.sections[next_section_].span.begin <= position_) {
        ++next_section_;
      }
      if (next_section_ < document_.sections.size()) {
        end = std::min(end, document_.sections[next_section_].span.begin);
      }
      block = Trim(document_.text, {.begin = position_, .end = end});
      position_ = document_.text.compare(end, 2, "\n\n") == 0 ? end + 2 : end;
      if (block.size() > 0) return true;
    }
    return false;
  }

 private:
  const Document& document_;
  uint64_t position_ = 0;
  size_t next_section_ = 0;
};

// Gathers pieces of text into passages.
class Cutter {
 public:
  Cutter(const Document& document, uint64_t budget) : document_(document), budget_(budget) {}

  void AddBlock(const TextSpan& block) {
    const int64_t section = SectionAt(document_.sections, block.begin);
    if (section != section_) {
      // Headings alone are no passage: they wait for the text below them.
      if (!only_headings_ || !Encloses(section_, section)) Flush();
      section_ = section;
    }
    const uint64_t tokens = EstimateTokens(View(block));
    if (tokens <= budget_) {
      AddPiece(block, tokens);
    } else {
      AddLongBlock(block);
    }
    if (!IsHeading(block)) only_headings_ = false;
  }

  std::vector<Passage> Finish() && {
    Flush();
    return std::move(passages_);
  }

 private:
  std::string_view View(const TextSpan& span) const {
    return std::string_view(document_.text).substr(span.begin, span.size());
  }

  bool IsHeading(const TextSpan& block) const {
    if (section_ == kNoParent) return false;
    const Section& section = document_.sections[static_cast<size_t>(section_)];
    return section.span.begin == block.begin && View(block) == section.title;
  }

  bool Encloses(int64_t outer, int64_t inner) const {
    while (inner != kNoParent && inner != outer) {
      inner = document_.sections[static_cast<size_t>(inner)].parent;
    }
    return inner == outer;
  }

  void AddPiece(const TextSpan& piece, uint64_t tokens) {
    if (tokens_ > 0 && tokens_ + tokens > budget_) Flush();
    if (tokens_ == 0) span_.begin = piece.begin;
    span_.end = piece.end;
    tokens_ += tokens;
  }

  // A block above the budget: line by line where lines are meant, sentence by sentence where those
  // are too long as well.
  void AddLongBlock(const TextSpan& block) {
    if (document_.line_breaks == LineBreaks::kSoft) return AddSentences(block);
    uint64_t begin = block.begin;
    while (begin < block.end) {
      const uint64_t end = std::min<uint64_t>(document_.text.find('\n', begin), block.end);
      const TextSpan line = Trim(document_.text, {.begin = begin, .end = end});
      begin = end + 1;
      if (line.size() == 0) continue;
      const uint64_t tokens = EstimateTokens(View(line));
      if (tokens <= budget_) {
        AddPiece(line, tokens);
      } else {
        AddSentences(line);
      }
    }
  }

  void AddSentences(const TextSpan& span) {
    for (const TextSpan& sentence :
         Sentences(document_.text, span, document_.line_breaks, splitter_)) {
      const uint64_t tokens = EstimateTokens(View(sentence));
      if (tokens <= budget_ * kMaxBudgets) {
        AddPiece(sentence, tokens);
      } else {
        AddEndlessSentence(sentence);
      }
    }
  }

  // No sentence of a language is this long: a table in one line, a file without punctuation.
  void AddEndlessSentence(TextSpan rest) {
    while (rest.size() > 0) {
      // A token is at least one byte of ASCII or three of a CJK character; four bytes a token is
      // exact for ASCII and errs to the short side elsewhere.
      uint64_t take = std::min<uint64_t>(rest.size(), budget_ * 4);
      if (take < rest.size()) {
        const std::string_view head = View(rest).substr(0, take);
        const size_t space = head.find_last_of(kWhiteSpace);
        take = space != std::string_view::npos && space > take / 2
                   ? space + 1
                   : FloorToCodePoint(View(rest), take);
      }
      const TextSpan piece = Trim(document_.text, {.begin = rest.begin, .end = rest.begin + take});
      rest.begin += take;
      if (piece.size() > 0) AddPiece(piece, EstimateTokens(View(piece)));
    }
  }

  void Flush() {
    if (tokens_ > 0) {
      passages_.push_back({.span = span_,
                           .section = section_,
                           .page = PageAt(document_.pages, span_.begin),
                           .tokens = static_cast<uint32_t>(EstimateTokens(View(span_)))});
    }
    tokens_ = 0;
    only_headings_ = true;
  }

  const Document& document_;
  const uint64_t budget_;
  SentenceSplitter splitter_;
  std::vector<Passage> passages_;
  TextSpan span_;                // of the passage being gathered
  uint64_t tokens_ = 0;          // in it; 0: none begun
  int64_t section_ = kNoParent;  // of the last block
  bool only_headings_ = true;    // nothing but headings gathered so far
};

}  // namespace

std::vector<Passage> CutPassages(const Document& document, uint64_t budget_tokens,
                                 const WorkControl& control) {
  TOME_CHECK(budget_tokens > 0);
  Cutter cutter(document, budget_tokens);
  BlockReader blocks(document);
  TextSpan block;
  while (blocks.Next(block)) {
    control.CheckStop();
    cutter.AddBlock(block);
  }
  return std::move(cutter).Finish();
}

std::vector<TextSpan> Sentences(std::string_view text, const TextSpan& span, LineBreaks line_breaks,
                                SentenceSplitter& splitter) {
  const std::string_view part = text.substr(span.begin, span.size());
  std::vector<uint64_t> ends;
  if (line_breaks == LineBreaks::kSoft) {
    // The same bytes with the wrapped line ends as spaces; the empty line between blocks stays.
    std::string unwrapped(part);
    for (size_t i = 0; i < unwrapped.size(); ++i) {
      const bool single = unwrapped[i] == '\n' &&
                          (i + 1 == unwrapped.size() || part[i + 1] != '\n') &&
                          (i == 0 || part[i - 1] != '\n');
      if (single) unwrapped[i] = ' ';
    }
    ends = splitter.Ends(unwrapped);
  } else {
    ends = splitter.Ends(part);
  }
  std::vector<TextSpan> sentences;
  uint64_t begin = span.begin;
  for (const uint64_t end : ends) {
    const TextSpan sentence = Trim(text, {.begin = begin, .end = span.begin + end});
    begin = span.begin + end;
    if (sentence.size() > 0) sentences.push_back(sentence);
  }
  return sentences;
}

}  // namespace tome
