#include "tome/text/unicode.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstring>

#include "tome/base/error.h"

namespace tome {
namespace {

const icu::Normalizer2& Nfc() {
  static const icu::Normalizer2* const kInstance = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* instance = icu::Normalizer2::getNFCInstance(status);
    if (U_FAILURE(status)) {
      throw Error(Code::kIo, fmt::format("ICU's normalization data cannot be loaded: {}; reinstall "
                                         "libicu",
                                         u_errorName(status)));
    }
    return instance;
  }();
  return *kInstance;
}

// Returns the length of the ASCII prefix, eight bytes at a time.
size_t AsciiPrefix(std::string_view text) {
  size_t i = 0;
  constexpr uint64_t kHighBits = 0x8080808080808080;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & kHighBits) != 0) break;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return i;
}

// Decodes the character at `offset` and moves `offset` past it. Gives U+FFFD for an ill-formed
// sequence, which is skipped as a whole.
char32_t NextOrReplacement(std::string_view bytes, size_t& offset) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto length = static_cast<int64_t>(bytes.size());
  auto i = static_cast<int64_t>(offset);
  UChar32 c = 0;
  U8_NEXT_OR_FFFD(data, i, length, c);
  offset = static_cast<size_t>(i);
  return static_cast<char32_t>(c);
}

// Repairs ill-formed sequences and line ends and drops control characters, without normalization.
std::string Repair(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  size_t i = 0;
  while (i < bytes.size()) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte >= 0x20 && byte < 0x7F) {
      const size_t start = i;
      do {
        ++i;
      } while (i < bytes.size() && bytes[i] >= 0x20 && bytes[i] < 0x7F);
      out.append(bytes, start, i - start);
      continue;
    }
    if (byte < 0x80) {
      ++i;
      if (byte == '\r') {
        out += '\n';
        if (i < bytes.size() && bytes[i] == '\n') ++i;
      } else if (byte == '\n' || byte == '\v' || byte == '\f') {
        out += '\n';
      } else if (byte == '\t') {
        out += '\t';
      }
      continue;
    }
    const char32_t c = NextOrReplacement(bytes, i);
    if (c == 0x2028 || c == 0x2029 || c == 0x85) {
      out += '\n';
    } else if (c == 0xFEFF || (c >= 0x80 && c < 0xA0)) {
      continue;
    } else {
      AppendUtf8(c, out);
    }
  }
  return out;
}

}  // namespace

bool IsValidUtf8(std::string_view bytes) {
  size_t i = AsciiPrefix(bytes);
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto length = static_cast<int64_t>(bytes.size());
  while (i < bytes.size()) {
    UChar32 c = 0;
    auto j = static_cast<int64_t>(i);
    U8_NEXT(data, j, length, c);
    if (c < 0) return false;
    i = static_cast<size_t>(j);
    if (i < bytes.size() && data[i] < 0x80) i += AsciiPrefix(bytes.substr(i));
  }
  return true;
}

std::string NormalizeText(std::string_view bytes) {
  std::string repaired = Repair(bytes);
  if (AsciiPrefix(repaired) == repaired.size()) return repaired;
  const icu::Normalizer2& nfc = Nfc();
  UErrorCode status = U_ZERO_ERROR;
  const auto as_piece = [](std::string_view text) {
    return icu::StringPiece(text.data(), static_cast<int32_t>(text.size()));
  };
  // ICU counts in 32 bits, so the text is normalized in pieces. A piece ends at a line end, which
  // never composes with anything, so that normalization cannot reach across.
  constexpr size_t kPieceBytes = size_t{16} << 20;
  std::string normalized;
  std::string_view rest = repaired;
  while (!rest.empty()) {
    size_t take = rest.size();
    if (take > kPieceBytes) {
      const size_t line_end = rest.find('\n', kPieceBytes);
      // A text without a line end in reach is cut at a code point. A mark that would compose across
      // the cut stays decomposed, at most once in 16 MiB.
      take = line_end != std::string_view::npos && line_end < 2 * kPieceBytes
                 ? line_end + 1
                 : FloorToCodePoint(rest, kPieceBytes);
    }
    const std::string_view piece = rest.substr(0, take);
    rest.remove_prefix(take);
    status = U_ZERO_ERROR;
    if (nfc.isNormalizedUTF8(as_piece(piece), status) && U_SUCCESS(status)) {
      if (normalized.empty() && rest.empty()) return repaired;
      normalized.append(piece);
      continue;
    }
    status = U_ZERO_ERROR;
    icu::StringByteSink<std::string> sink(&normalized, static_cast<int32_t>(piece.size()));
    nfc.normalizeUTF8(0, as_piece(piece), sink, nullptr, status);
    if (U_FAILURE(status)) {
      throw Error(Code::kOutOfMemory,
                  fmt::format("text cannot be normalized: {}", u_errorName(status)));
    }
  }
  return normalized;
}

std::string CollapseWhiteSpace(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  bool pending = false;
  size_t i = 0;
  while (i < utf8.size()) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      ++i;
      if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
        pending = !out.empty();
        continue;
      }
      if (pending) out += ' ';
      pending = false;
      out += static_cast<char>(byte);
      continue;
    }
    const size_t start = i;
    const char32_t c = NextOrReplacement(utf8, i);
    if (IsWhiteSpace(c)) {
      pending = !out.empty();
      continue;
    }
    if (c == 0x200B) continue;
    if (pending) out += ' ';
    pending = false;
    out.append(utf8, start, i - start);
  }
  return out;
}

bool IsWhiteSpace(char32_t code_point) {
  return u_isUWhiteSpace(static_cast<UChar32>(code_point)) != 0;
}

bool IsLetterOrDigit(char32_t code_point) {
  return u_isalnum(static_cast<UChar32>(code_point)) != 0;
}

uint64_t CountCodePoints(std::string_view utf8) {
  // Every byte except a continuation byte (10xxxxxx) starts a code point.
  return static_cast<uint64_t>(std::count_if(utf8.begin(), utf8.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80;
  }));
}

char32_t NextCodePoint(std::string_view utf8, uint64_t& offset) {
  size_t i = offset;
  const char32_t c = NextOrReplacement(utf8, i);
  offset = i;
  return c;
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  char bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, code_point);
  out.append(bytes, static_cast<size_t>(length));
}

bool IsCjk(char32_t c) {
  if (c < 0x1100) return false;
  return (c <= 0x11FF) ||                              // Hangul Jamo
         (c >= 0x2E80 && c <= 0x2FDF) ||               // radicals
         c == 0x3005 || c == 0x3006 || c == 0x3007 ||  // 々 〆 〇
         (c >= 0x3021 && c <= 0x3029) ||               // Hangzhou numerals
         (c >= 0x3041 && c <= 0x3096) || c == 0x309D || c == 0x309E ||
         (c >= 0x30A1 && c <= 0x30FA) || (c >= 0x30FC && c <= 0x30FE) ||
         (c >= 0x3105 && c <= 0x318E) ||  // Bopomofo, compatibility Jamo
         (c >= 0x31A0 && c <= 0x31BF) || (c >= 0x31F0 && c <= 0x31FF) ||
         (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
         (c >= 0xA960 && c <= 0xA97F) || (c >= 0xAC00 && c <= 0xD7FF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFF66 && c <= 0xFFDC) ||
         (c >= 0x1B000 && c <= 0x1B16F) || (c >= 0x20000 && c <= 0x3FFFF);
}

uint64_t FloorToCodePoint(std::string_view utf8, uint64_t offset) {
  if (offset >= utf8.size()) return utf8.size();
  while (offset > 0 && (static_cast<unsigned char>(utf8[offset]) & 0xC0U) == 0x80) --offset;
  return offset;
}

}  // namespace tome
