#include "tome/text/tokenizer/tokenizer_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tome/base/error.h"
#include "tome/text/tokenizer.h"

namespace tome::internal {
namespace {

// Limit of all pieces together, in bytes. The tables built from them take up to 30 times as much.
constexpr size_t kMaxVocabularyBytes = size_t{32} << 20;

// Names of the end of a turn. The first one that the vocabulary has is taken as the end of turn.
constexpr std::array<std::string_view, 6> kEndOfTurn{"<|eot_id|>",    "<|im_end|>",    "<|end|>",
                                                     "<end_of_turn>", "<|endoftext|>", "<EOT>"};
constexpr std::array<std::string_view, 7> kOtherEnds{
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|return|>",
    "<|call|>",
    "_<EOT>",
    "<\xEF\xBD\x9C"
    "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
    "<end_of_utterance>"};

}  // namespace

void FindEndTokens(TokenizerParts& parts, const std::vector<bool>& is_control) {
  std::vector<TokenId>& ends = parts.end_of_generation;
  const auto add = [&](std::optional<TokenId> id) {
    if (id) ends.push_back(*id);
  };
  const auto find = [&](std::string_view name) -> std::optional<TokenId> {
    const std::optional<TokenId> id = parts.pieces.Find(name);
    return id && is_control[static_cast<size_t>(*id)] ? id : std::nullopt;
  };
  for (const std::string_view name : kEndOfTurn) {
    const std::optional<TokenId> id = find(name);
    if (!parts.named.eot) parts.named.eot = id;
    add(id);
  }
  for (const std::string_view name : kOtherEnds) add(find(name));
  for (const TokenId id : ends) parts.special[static_cast<size_t>(id)] = true;
  add(parts.named.eos);
  add(parts.named.eot);
  add(parts.named.eom);
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
}

std::optional<TokenId> UnknownForText(const TokenizerParts& parts, std::optional<TokenId> unknown) {
  if (!unknown) return std::nullopt;
  const NamedTokens& named = parts.named;
  const std::array others{named.bos,       named.eos, named.eot, named.eom,
                          named.separator, named.cls, named.mask};
  const auto& ends = parts.end_of_generation;
  const bool has_meaning = std::find(others.begin(), others.end(), unknown) != others.end() ||
                           std::binary_search(ends.begin(), ends.end(), *unknown) ||
                           LooksLikeControl(parts.pieces.pieces()[static_cast<size_t>(*unknown)]);
  return has_meaning ? std::nullopt : unknown;
}

bool LooksLikeControl(std::string_view piece) {
  constexpr std::string_view kWideOpen = "<\xEF\xBD\x9C";
  constexpr std::string_view kWideClose = "\xEF\xBD\x9C>";
  return (piece.size() > 4 && piece.starts_with("<|") && piece.ends_with("|>")) ||
         (piece.size() > 8 && piece.starts_with(kWideOpen) && piece.ends_with(kWideClose));
}

void CheckPieceLimits(const std::vector<std::string>& pieces, std::string_view field) {
  if (pieces.empty()) {
    throw Error(Code::kCorrupt, fmt::format("{}: the vocabulary is empty", field));
  }
  if (pieces.size() > kMaxVocabularySize) {
    throw Error(Code::kUnsupported, fmt::format("{}: {} pieces, more than {}", field, pieces.size(),
                                                kMaxVocabularySize));
  }
  size_t total = 0;
  for (size_t id = 0; id < pieces.size(); ++id) {
    total += pieces[id].size();
    if (pieces[id].size() > kMaxPieceBytes) {
      throw Error(Code::kUnsupported, fmt::format("{}[{}]: a piece of {} bytes, more than {}",
                                                  field, id, pieces[id].size(), kMaxPieceBytes));
    }
  }
  if (total > kMaxVocabularyBytes) {
    throw Error(Code::kUnsupported, fmt::format("{}: the pieces have {} bytes, more than {}", field,
                                                total, kMaxVocabularyBytes));
  }
}

}  // namespace tome::internal
