#include "tome/text/tokenizer/added_tokens.h"

#include <utility>

#include "tome/text/tokenizer/char_classes.h"

namespace tome {
namespace {

bool IsWordChar(std::string_view text, size_t at) {
  return (CharClasses::Get().Of(CharAt(text, at).code_point) & kWordChar) != 0;
}

bool IsSpace(std::string_view text, size_t at) {
  return (CharClasses::Get().Of(CharAt(text, at).code_point) & kSpace) != 0;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::vector<std::pair<std::string_view, TokenId>> entries;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].content.empty()) continue;
    entries.emplace_back(tokens_[i].content, static_cast<TokenId>(i));
    begins_[static_cast<unsigned char>(tokens_[i].content[0])] = true;
  }
  trie_ = PieceTrie(std::move(entries));
}

const AddedToken* AddedTokens::Longest(std::string_view text, size_t at, size_t parsed_end) const {
  const AddedToken* longest = nullptr;
  trie_.ForEachPrefix(text.substr(at), [&](size_t bytes, TokenId i) {
    const AddedToken& token = tokens_[static_cast<size_t>(i)];
    const size_t end = at + bytes;
    if (token.only_parsed && end > parsed_end) return;
    if (token.single_word && ((at > 0 && IsWordChar(text, PreviousChar(text, 0, at))) ||
                              (end < text.size() && IsWordChar(text, end)))) {
      return;
    }
    longest = &token;
  });
  return longest;
}

std::vector<AddedTokens::Part> AddedTokens::Split(std::string_view text,
                                                  const std::vector<Span>& parsed) const {
  std::vector<Part> parts;
  const auto size = static_cast<uint32_t>(text.size());
  uint32_t done = 0;
  size_t next_parsed = 0;
  for (size_t i = 0; !tokens_.empty() && i < text.size();) {
    if (!begins_[static_cast<unsigned char>(text[i])]) {
      ++i;
      continue;
    }
    while (next_parsed < parsed.size() && parsed[next_parsed].end <= i) ++next_parsed;
    const bool inside = next_parsed < parsed.size() && parsed[next_parsed].begin <= i;
    const AddedToken* token = Longest(text, i, inside ? parsed[next_parsed].end : 0);
    if (token == nullptr) {
      ++i;
      continue;
    }
    size_t begin = i;
    size_t end = i + token->content.size();
    while (token->strip_left && begin > done) {
      const size_t before = PreviousChar(text, done, begin);
      if (!IsSpace(text, before)) break;
      begin = before;
    }
    while (token->strip_right && end < text.size() && IsSpace(text, end))
      end += CharAt(text, end).bytes;
    parts.push_back({{done, static_cast<uint32_t>(begin)}, token->id});
    done = static_cast<uint32_t>(end);
    i = end;
  }
  parts.push_back({{done, size}, -1});
  return parts;
}

}  // namespace tome
