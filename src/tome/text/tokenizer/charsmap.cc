#include "tome/text/tokenizer/charsmap.h"

#include <fmt/format.h>

#include "tome/base/error.h"
#include "tome/text/tokenizer/char_classes.h"

namespace tome {
namespace {

uint32_t ReadU32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

bool HasValue(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t Label(uint32_t unit) { return unit & (uint32_t{1} << 31 | 0xFF); }
uint32_t Offset(uint32_t unit) { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }
uint32_t Value(uint32_t unit) { return unit & ~(uint32_t{1} << 31); }

}  // namespace

Charsmap::Charsmap(std::string_view bytes, std::string_view field) {
  const uint32_t trie_bytes = bytes.size() < 4 ? 0 : ReadU32(bytes, 0);
  if (bytes.size() < 4 || trie_bytes > bytes.size() - 4 || trie_bytes % 4 != 0 || trie_bytes == 0) {
    throw Error(Code::kCorrupt,
                fmt::format("{}: a trie of {} bytes in a map of {}; convert the model "
                            "again",
                            field, trie_bytes, bytes.size()));
  }
  units_.resize(trie_bytes / 4);
  for (size_t i = 0; i < units_.size(); ++i) units_[i] = ReadU32(bytes, 4 + 4 * i);
  replacements_ = bytes.substr(4 + size_t{trie_bytes});
  if (replacements_.empty() || replacements_.back() != '\0') {
    throw Error(Code::kCorrupt,
                fmt::format("{}: the last replacement has no end; convert the model again", field));
  }
}

Charsmap::Match Charsmap::Longest(std::string_view text) const {
  Match match;
  size_t node = Offset(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (byte == 0 || node >= units_.size() || Label(units_[node]) != byte) break;
    const bool has_value = HasValue(units_[node]);
    node ^= Offset(units_[node]);
    if (!has_value || node >= units_.size()) continue;
    const size_t at = Value(units_[node]);
    if (at >= replacements_.size()) continue;
    match.bytes = i + 1;
    match.replacement = std::string_view(replacements_).substr(at);
    match.replacement = match.replacement.substr(0, match.replacement.find('\0'));
  }
  return match;
}

std::string Charsmap::Normalize(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const Match match = Longest(text.substr(i));
    if (match.bytes > 0) {
      out += match.replacement;
      i += match.bytes;
      continue;
    }
    const TextChar c = CharAt(text, i);
    if (c.code_point >= kIllFormed) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(i, c.bytes);
    }
    i += c.bytes;
  }
  return out;
}

}  // namespace tome
