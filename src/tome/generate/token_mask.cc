#include "tome/generate/token_mask.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "tome/base/error.h"

namespace tome {

TokenSet::TokenSet(int64_t vocabulary)
    : vocabulary_(vocabulary), bits_(static_cast<size_t>((vocabulary + 63) / 64)) {}

void TokenSet::Clear() { std::fill(bits_.begin(), bits_.end(), 0); }

void TokenSet::Add(TokenId token) {
  if (token < 0 || token >= vocabulary_) return;
  const auto at = static_cast<size_t>(token);
  bits_[at / 64] |= uint64_t{1} << (at % 64);
}

void TokenSet::AddAll() {
  std::fill(bits_.begin(), bits_.end(), ~uint64_t{0});
  if (vocabulary_ % 64 != 0) bits_.back() = (uint64_t{1} << (vocabulary_ % 64)) - 1;
}

bool TokenSet::Has(TokenId token) const {
  if (token < 0 || token >= vocabulary_) return false;
  const auto at = static_cast<size_t>(token);
  return (bits_[at / 64] >> (at % 64) & 1) != 0;
}

bool TokenSet::empty() const {
  return std::all_of(bits_.begin(), bits_.end(), [](uint64_t word) { return word == 0; });
}

void TokenSet::KeepOnly(std::span<float> scores) const {
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!Has(static_cast<TokenId>(i))) scores[i] = -std::numeric_limits<float>::infinity();
  }
}

ChoiceMask::ChoiceMask(std::vector<std::vector<TokenId>> choices, std::span<const TokenId> ends)
    : choices_(std::move(choices)), ends_(ends.begin(), ends.end()), open_(choices_.size()) {
  if (choices_.empty()) throw Error(Code::kInvalidArgument, "there is nothing to choose from");
  std::sort(ends_.begin(), ends_.end());
  for (size_t i = 0; i < choices_.size(); ++i) {
    const std::vector<TokenId>& choice = choices_[i];
    if (choice.empty()) {
      throw Error(Code::kInvalidArgument, fmt::format("choice {} has no tokens", i));
    }
    if (std::any_of(choice.begin(), choice.end() - 1, [&](TokenId id) { return IsEnd(id); })) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("choice {} goes on behind an end of generation", i));
    }
  }
  std::iota(open_.begin(), open_.end(), size_t{0});
}

bool ChoiceMask::IsEnd(TokenId token) const {
  return std::binary_search(ends_.begin(), ends_.end(), token);
}

void ChoiceMask::AddAllowed(TokenSet& allowed) const {
  bool complete = false;
  bool goes_on = false;
  for (const size_t choice : open_) {
    if (IsComplete(choice)) {
      complete = true;
    } else {
      goes_on = true;
      allowed.Add(choices_[choice][accepted_]);
    }
  }
  if (!complete || !goes_on) return;
  for (const TokenId end : ends_) allowed.Add(end);
}

void ChoiceMask::Accept(TokenId token) {
  const auto continues = [&](size_t choice) {
    return !IsComplete(choice) && choices_[choice][accepted_] == token;
  };
  // An end of generation that no choice has as its next token selects the choices that are
  // complete.
  if (IsEnd(token) && std::none_of(open_.begin(), open_.end(), continues)) {
    std::erase_if(open_, [&](size_t choice) { return !IsComplete(choice); });
    return;
  }
  std::erase_if(open_, [&](size_t choice) { return !continues(choice); });
  ++accepted_;
}

int64_t ChoiceMask::chosen() const {
  const auto complete =
      std::find_if(open_.begin(), open_.end(), [&](size_t choice) { return IsComplete(choice); });
  return complete == open_.end() ? -1 : static_cast<int64_t>(*complete);
}

}  // namespace tome
