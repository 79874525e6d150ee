#include "tome/text/tokenizer/char_classes.h"

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>

#include <map>

#include "tome/base/error.h"

namespace tome {
namespace {

// The ranges of BERT's reference implementation, which lacks U+2B820 to U+2B91F, too.
bool IsBertIdeograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

ClassBits ClassOf(UChar32 c) {
  const uint32_t mask = U_GET_GC_MASK(c);
  ClassBits bits = 0;
  const auto add = [&](bool condition, ClassBits bit) {
    if (condition) bits = static_cast<ClassBits>(bits | bit);
  };
  add((mask & U_GC_L_MASK) != 0, kLetter);
  add((mask & U_GC_N_MASK) != 0, kNumber);
  add(u_isUWhiteSpace(c) != 0, kSpace);
  add((mask & U_GC_P_MASK) != 0, kPunctuation);
  add((mask & U_GC_S_MASK) != 0, kSymbol);
  add((mask & U_GC_M_MASK) != 0, kMark);
  add((mask & U_GC_MN_MASK) != 0, kNonSpacing);
  add(u_isUAlphabetic(c) != 0 || (mask & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 ||
          c == 0x200C || c == 0x200D,
      kWordChar);
  add((mask & U_GC_C_MASK) != 0 && c != '\t' && c != '\n' && c != '\r', kOther);
  add(IsBertIdeograph(static_cast<char32_t>(c)), kIdeograph);
  return bits;
}

}  // namespace

CharClasses::CharClasses() {
  std::map<std::vector<ClassBits>, uint16_t> seen;
  std::vector<ClassBits> block(256);
  for (size_t b = 0; b < index_.size(); ++b) {
    for (size_t i = 0; i < 256; ++i) block[i] = ClassOf(static_cast<UChar32>(b << 8 | i));
    const auto [it, is_new] = seen.emplace(block, static_cast<uint16_t>(seen.size()));
    if (is_new) blocks_.insert(blocks_.end(), block.begin(), block.end());
    index_[b] = it->second;
  }
}

const CharClasses& CharClasses::Get() {
  static const CharClasses kInstance;
  return kInstance;
}

CodePointSet::CodePointSet(std::string_view icu_pattern) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeSet set(
      icu::UnicodeString::fromUTF8({icu_pattern.data(), static_cast<int32_t>(icu_pattern.size())}),
      status);
  if (U_FAILURE(status)) {
    throw Error(Code::kInvalidArgument, fmt::format("\"{}\" is no set of characters: {}",
                                                    icu_pattern, u_errorName(status)));
  }
  std::map<std::array<uint64_t, 4>, uint16_t> seen;
  for (size_t b = 0; b < index_.size(); ++b) {
    std::array<uint64_t, 4> block{};
    const auto first = static_cast<UChar32>(b << 8);
    if (set.containsSome(first, first + 255) != 0) {
      for (size_t i = 0; i < 256; ++i) {
        if (set.contains(first + static_cast<UChar32>(i)) != 0)
          block[i >> 6] |= uint64_t{1} << (i & 63);
      }
    }
    const auto [it, is_new] = seen.emplace(block, static_cast<uint16_t>(seen.size()));
    if (is_new) blocks_.insert(blocks_.end(), block.begin(), block.end());
    index_[b] = it->second;
  }
}

}  // namespace tome
