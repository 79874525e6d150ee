#include "tome/documents/passages.h"

#include <algorithm>
#include <string>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

TextSpan Trim(std::string_view text, TextSpan span) {
  while (span.begin < span.end) {
    uint64_t next = span.begin;
    if (!IsWhiteSpace(NextCodePoint(text, next))) break;
    span.begin = next;
  }
  while (span.begin < span.end) {
    const uint64_t last = FloorToCodePoint(text, span.end - 1);
    uint64_t next = last;
    if (!IsWhiteSpace(NextCodePoint(text, next))) break;
    span.end = last;
  }
  return span;
}

// Returns the size of the longest beginning of `utf8`, at least one character, that EstimateTokens
// puts at no more than `tokens`. Reads one character more at most.
uint64_t BytesOfTokens(std::string_view utf8, uint64_t tokens) {
  uint64_t end = 0;
  TokenCount count;
  while (end < utf8.size()) {
    uint64_t next = end;
    ++(IsCjk(NextCodePoint(utf8, next)) ? count.cjk : count.others);
    if (end > 0 && count.tokens() > tokens) break;
    end = next;
  }
  return end;
}

// Walks the blocks of a text. Inside a block there is no empty line, and no section begins.
class BlockReader {
 public:
  explicit BlockReader(const Document& document) : document_(document) {}

  // Gives the next block that holds more than white space. Returns false at the end of the text.
  bool Next(TextSpan& block) {
    while (position_ < document_.text.size()) {
      // The empty line is searched once, however many sections begin before it.
      if (empty_line_ < position_ || position_ == 0) {
        empty_line_ =
            std::min<uint64_t>(document_.text.find("\n\n", position_), document_.text.size());
      }
      uint64_t end = empty_line_;
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
  uint64_t empty_line_ = 0;  // first empty line at or after position_, or the end of the text
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
    const TokenCount count = CountTokens(View(block));
    if (IsHeading(block) && count.tokens() <= budget_) {
      if (!Fits(block, count)) Flush();
      Append(block, count);
    } else if (StaysWhole(block, count)) {
      AddPiece(block, count);
    } else {
      AddLongBlock(block);
    }
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

  // Returns the count of the passage with this piece and the white space between the two.
  TokenCount CountWith(const TextSpan& piece, const TokenCount& count) const {
    if (span_.size() == 0) return count;
    return count_ + CountTokens(View({.begin = span_.end, .end = piece.begin})) + count;
  }

  bool Fits(const TextSpan& piece, const TokenCount& count) const {
    return CountWith(piece, count).tokens() <= budget_;
  }

  // Returns whether a block or line is added as a whole: to this passage or, unless that leaves
  // headings without text, to the next one.
  bool StaysWhole(const TextSpan& piece, const TokenCount& count) const {
    return Fits(piece, count) || (!only_headings_ && count.tokens() <= budget_);
  }

  void Append(const TextSpan& piece, const TokenCount& count) {
    count_ = CountWith(piece, count);
    span_section_ = section_;
    span_ = {.begin = span_.size() > 0 ? span_.begin : piece.begin, .end = piece.end};
  }

  // Headings take the first piece of their text along even where it fills the budget by itself.
  void AddPiece(const TextSpan& piece, const TokenCount& count) {
    if (!only_headings_ && !Fits(piece, count)) Flush();
    Append(piece, count);
    only_headings_ = false;
  }

  // Adds a block that does not stay whole: line by line where line ends are meant, and sentence by
  // sentence where a line does not stay whole either.
  void AddLongBlock(const TextSpan& block) {
    if (document_.line_breaks == LineBreaks::kSoft) return AddSentences(block);
    uint64_t begin = block.begin;
    while (begin < block.end) {
      const uint64_t length = std::min<uint64_t>(
          View({.begin = begin, .end = block.end}).find('\n'), block.end - begin);
      const uint64_t end = begin + length;
      const TextSpan line = Trim(document_.text, {.begin = begin, .end = end});
      begin = end + 1;
      if (line.size() == 0) continue;
      const TokenCount count = CountTokens(View(line));
      if (StaysWhole(line, count)) {
        AddPiece(line, count);
      } else {
        AddSentences(line);
      }
    }
  }

  void AddSentences(const TextSpan& span) {
    for (const TextSpan& sentence :
         Sentences(document_.text, span, document_.line_breaks, splitter_)) {
      const TokenCount count = CountTokens(View(sentence));
      if (count.tokens() <= budget_ * kMaxBudgets) {
        AddPiece(sentence, count);
      } else {
        AddEndlessSentence(sentence);
      }
    }
  }

  // No sentence of a language is this long. It is a table in one line or a file without
  // punctuation.
  void AddEndlessSentence(TextSpan rest) {
    while (rest.size() > 0) {
      uint64_t take = BytesOfTokens(View(rest), budget_);
      if (take < rest.size()) {
        const size_t space = View(rest).substr(0, take).find_last_of(" \t\n");
        if (space != std::string_view::npos && space > take / 2) take = space + 1;
      }
      const TextSpan piece = Trim(document_.text, {.begin = rest.begin, .end = rest.begin + take});
      rest.begin += take;
      if (piece.size() > 0) AddPiece(piece, CountTokens(View(piece)));
    }
  }

  void Flush() {
    if (span_.size() > 0) {
      passages_.push_back({.span = span_,
                           .section = span_section_,
                           .page = PageAt(document_.pages, span_.begin),
                           .tokens = static_cast<uint32_t>(count_.tokens())});
    }
    span_ = {};
    count_ = {};
    only_headings_ = true;
  }

  const Document& document_;
  const uint64_t budget_;
  SentenceSplitter splitter_;
  std::vector<Passage> passages_;
  TextSpan span_;                     // the passage so far; empty before its first piece
  TokenCount count_;                  // of the passage so far
  int64_t span_section_ = kNoParent;  // section of the piece appended last
  int64_t section_ = kNoParent;       // section of the last block
  bool only_headings_ = true;         // the passage so far holds no text but headings
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
    // This copy has spaces for the wrapped line ends. The empty lines between blocks stay.
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
