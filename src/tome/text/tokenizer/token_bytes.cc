#include "tome/text/tokenizer/token_bytes.h"

#include <array>
#include <utility>

#include "tome/text/tokenizer/byte_alphabet.h"
#include "tome/text/tokenizer/word_model.h"

namespace tome {
namespace {

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Drops the space that joins words where English writes none.
void CleanUp(std::string& text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kRules{
      {{" .", "."},
       {" ?", "?"},
       {" !", "!"},
       {" ,", ","},
       {" ' ", "'"},
       {" n't", "n't"},
       {" 'm", "'m"},
       {" do not", " don't"},
       {" 's", "'s"},
       {" 've", "'ve"},
       {" 're", "'re"}}};
  for (const auto& [from, to] : kRules) ReplaceAll(text, from, to);
}

void Apply(const DecoderStep& step, std::string& text) {
  using Kind = DecoderStep::Kind;
  switch (step.kind) {
    case Kind::kByteLevel:
      text = BytesOfLetters(text).value_or(text);
      break;
    case Kind::kByteFallback:
      if (const auto byte = ByteOfPiece(text)) text.assign(1, static_cast<char>(*byte));
      break;
    case Kind::kReplace:
      ReplaceAll(text, step.from, step.to);
      break;
    case Kind::kWordPiece:
      if (text.starts_with(step.from)) {
        text.erase(0, step.from.size());
      } else {
        text.insert(0, 1, ' ');
      }
      break;
    case Kind::kWordSuffix:
      if (text.ends_with(step.from))
        text.replace(text.size() - step.from.size(), step.from.size(), " ");
      break;
    case Kind::kCleanUp:
      CleanUp(text);
      break;
    case Kind::kSpaceBefore:
      text.insert(0, 1, ' ');
      break;
    case Kind::kFuse:
    case Kind::kStrip:
      break;
  }
}

}  // namespace

TokenBytesTable::TokenBytesTable(const std::vector<std::string>& pieces,
                                 const std::vector<bool>& literal,
                                 const std::vector<DecoderStep>& steps) {
  bool joins = false;  // spaces join all tokens, literal ones too
  for (const DecoderStep& step : steps) {
    if (step.kind == DecoderStep::Kind::kStrip) {
      max_leading_ = step.count;
      leading_ = step.from;
    } else if (step.kind == DecoderStep::Kind::kWordPiece ||
               step.kind == DecoderStep::Kind::kSpaceBefore) {
      joins = true;
      max_leading_ = 1;
      leading_ = " ";
    }
  }
  begins_.reserve(pieces.size() + 1);
  begins_.push_back(0);
  for (size_t id = 0; id < pieces.size(); ++id) {
    std::string text = pieces[id];
    if (text.empty()) {
      // An id that no piece has adds nothing.
    } else if (!literal[id]) {
      for (const DecoderStep& step : steps) Apply(step, text);
    } else if (joins) {
      text.insert(0, 1, ' ');
    }
    bytes_ += text;
    begins_.push_back(bytes_.size());
  }
}

}  // namespace tome
