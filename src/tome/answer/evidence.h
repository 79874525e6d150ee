// What a model writes when it is asked to recite its evidence before it answers, read as it comes:
//
//   [1] a sentence of the document, word for word
//   [2] another
//   Answer: the answer, with the numbers of its evidence [1][2]
//
// or, where the document does not answer: NOT FOUND. The marks may be Chinese (答案：, 未找到). A
// block <think>…</think> before it is passed over.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/documents/document.h"

namespace tome {

struct EvidenceLine {
  int number = 0;  // as the model wrote it, else one more than the line before
  std::string quote;
};

// Feed it text as it is generated. Bounded: a line is held back no longer than kMaxEvidenceLine.
class EvidenceParser {
 public:
  static constexpr size_t kMaxEvidenceLine = 16384;  // bytes; the rest of a longer one is dropped

  // Takes more text; gives the part of it that belongs to the answer.
  std::string Push(std::string_view text);
  // The end of the text.
  std::string Finish();

  bool in_answer() const { return state_ == State::kAnswer; }
  bool not_found() const { return not_found_; }
  const std::vector<EvidenceLine>& evidence() const { return evidence_; }

 private:
  enum class State { kEvidence, kThinking, kAnswer };
  void TakeLine(std::string_view line);
  std::string_view PassThinking(std::string_view text);
  std::optional<std::string> AnswerBegins(std::string_view line) const;

  State state_ = State::kEvidence;
  bool not_found_ = false;
  bool answer_shown_ = false;  // the spaces between the mark and the answer are behind
  std::string line_;
  std::vector<EvidenceLine> evidence_;
};

// Rewrites the marks [n] of an answer as it streams: a number that `numbers` maps gets the new one,
// any other mark of evidence is left out. A list [1, 2] becomes marks of its own numbers, [3][4].
// Brackets that hold anything else stay.
class MarkRewriter {
 public:
  explicit MarkRewriter(std::map<int, int> numbers) : numbers_(std::move(numbers)) {}
  std::string Push(std::string_view text);
  std::string Finish();

 private:
  std::map<int, int> numbers_;
  std::string held_;  // from a '[' that may begin a mark
};

// A text that a model was shown, and where it stands.
struct ShownText {
  std::string_view text;
  uint64_t begin = 0;  // byte offset of `text` in its document
};

// Where a quote stands in one of the texts: exactly, or but for white space, letter case of ASCII
// and the shape of quotation marks and dashes. The span is of the document's bytes. Nothing when it
// stands in none, or is too short to prove anything (kMinQuoteWeight).
struct FoundQuote {
  size_t shown = 0;  // index of the text
  TextSpan span;
};
// A CJK character weighs two, any other letter or digit one.
inline constexpr uint64_t kMinQuoteWeight = 8;
std::optional<FoundQuote> FindQuote(std::string_view quote, const std::vector<ShownText>& shown);

}  // namespace tome
