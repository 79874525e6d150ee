#include "tome/text/encoding_detection.h"

#include <uchardet.h>
#include <unicode/uchar.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <utility>
#include <vector>

#include "tome/text/encoding.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Size of one part of the sample. uchardet's own statistics settle within a few KiB of non-ASCII
// text.
constexpr size_t kPartBytes = size_t{64} << 10;

using Sample = std::vector<std::string_view>;

// Returns the part at `begin`, moved to start after a line end, where no character is cut.
std::string_view PartAt(std::string_view bytes, size_t begin) {
  if (begin > 0) {
    const size_t line_end = bytes.substr(begin, kPartBytes / 2).find('\n');
    if (line_end != std::string_view::npos) begin += line_end + 1;
  }
  return bytes.substr(begin, kPartBytes);
}

// Returns the head, middle, tail and the part at `telling`, where the first bytes are that tell
// encodings apart.
Sample TakeSample(std::string_view bytes, size_t telling) {
  if (bytes.size() <= 4 * kPartBytes) return {bytes};
  return {PartAt(bytes, 0), PartAt(bytes, telling), PartAt(bytes, bytes.size() / 2),
          PartAt(bytes, bytes.size() - kPartBytes)};
}

// Returns the start of the first piece of `bytes` that is not well-formed UTF-8; npos if all are.
size_t FindIllFormedUtf8(std::string_view bytes) {
  for (size_t begin = 0; begin < bytes.size();) {
    const size_t end = std::max<size_t>(FloorToCodePoint(bytes, begin + kPartBytes), begin + 1);
    if (!IsValidUtf8(bytes.substr(begin, end - begin))) return begin;
    begin = end;
  }
  return std::string_view::npos;
}

// Returns true for UTF-8 that was damaged in places (a cut download, a broken concatenation): at
// least twenty well-formed multi-byte characters for each ill-formed sequence. Text in another
// encoding has hardly any.
bool IsNearlyUtf8(const Sample& sample) {
  uint64_t good = 0;
  uint64_t bad = 0;
  for (const std::string_view part : sample) {
    for (uint64_t i = 0; i < part.size();) {
      if (static_cast<unsigned char>(part[i]) < 0x80) {
        ++i;
        continue;
      }
      const uint64_t start = i;
      const char32_t c = NextCodePoint(part, i);
      const bool is_replacement = part.substr(start, i - start) == "\xEF\xBF\xBD";
      ++(c == 0xFFFD && !is_replacement ? bad : good);
    }
  }
  return good >= 20 * bad && good > 0;
}

// Counts of how much bytes read as UTF-16 look like text.
struct Utf16Signs {
  uint64_t units = 0;
  uint64_t typical = 0;    // line ends, spaces, commas and full stops of English and Chinese
  uint64_t senseless = 0;  // controls, unassigned, private use, unpaired surrogates
};

Utf16Signs ReadAsUtf16(const Sample& sample, std::endian order) {
  Utf16Signs signs;
  for (const std::string_view part : sample) {
    char16_t high = 0;  // a high surrogate that waits for its low one
    for (size_t i = 0; i + 1 < part.size(); i += 2) {
      const auto a = static_cast<unsigned char>(part[i]);
      const auto b = static_cast<unsigned char>(part[i + 1]);
      const auto unit =
          static_cast<char16_t>(order == std::endian::little ? a | b << 8 : a << 8 | b);
      ++signs.units;
      const bool paired = U16_IS_TRAIL(unit) && high != 0;
      const bool was_waiting = std::exchange(high, U16_IS_LEAD(unit) ? unit : u'\0') != 0;
      if (was_waiting != paired) ++signs.senseless;
      if (paired || high != 0) continue;
      constexpr std::u16string_view kTypical = u"\n\r ,.\u3000\u3001\u3002\uFF0C";
      if (kTypical.find(unit) != std::u16string_view::npos) {
        ++signs.typical;
      } else if (unit != u'\t' && unit != u'\f' && unit != 0xFEFF) {
        const int8_t type = u_charType(unit);
        signs.senseless += type == U_UNASSIGNED || type == U_CONTROL_CHAR ||
                           type == U_PRIVATE_USE_CHAR || type == U_SURROGATE;
      }
    }
  }
  return signs;
}

// Returns true for ASCII text with less than a quarter of NUL bytes, which is not UTF-16. UTF-16 is
// half NUL bytes where its text is ASCII. Elsewhere the upper bytes of its characters are controls
// (0x04 of Cyrillic), or the lower ones lie above ASCII now and then.
bool IsAsciiWithFewNuls(std::string_view bytes) {
  const auto is_ascii_text = [](char c) {
    return (c >= ' ' && c < 0x7F) || (c >= '\t' && c <= '\r');
  };
  const auto nuls = std::count(bytes.begin(), bytes.end(), '\0');
  const auto text = std::count_if(bytes.begin(), bytes.end(), is_ascii_text);
  const auto size = static_cast<int64_t>(bytes.size());
  return nuls * 4 < size && nuls + text == size;
}

// Returns UTF-16LE or UTF-16BE where `bytes` look like it. The sample starts at even offsets.
std::optional<std::string> Utf16WithoutBom(std::string_view bytes) {
  if (bytes.size() % 2 != 0) return std::nullopt;
  const std::string_view head = bytes.substr(0, kPartBytes);
  const std::string_view middle = bytes.substr(bytes.size() / 4 * 2, kPartBytes);
  // Without a NUL byte, UTF-16 holds neither an ASCII letter nor a line end.
  if (head.find('\0') == std::string_view::npos && middle.find('\0') == std::string_view::npos) {
    return std::nullopt;
  }
  if (IsAsciiWithFewNuls(head) && IsAsciiWithFewNuls(middle)) return std::nullopt;
  const Sample sample = {head, middle};
  const Utf16Signs little = ReadAsUtf16(sample, std::endian::little);
  const Utf16Signs big = ReadAsUtf16(sample, std::endian::big);
  const auto is_text = [](const Utf16Signs& signs, const Utf16Signs& swapped) {
    return signs.senseless * 50 <= signs.units && signs.typical > 3 * swapped.typical;
  };
  if (is_text(little, big)) return "UTF-16LE";
  if (is_text(big, little)) return "UTF-16BE";
  return std::nullopt;
}

// Returns uchardet's guess as a canonical name.
std::optional<std::string> AskUchardet(const Sample& sample) {
  struct Delete {
    void operator()(uchardet_t detector) const { uchardet_delete(detector); }
  };
  const std::unique_ptr<std::remove_pointer_t<uchardet_t>, Delete> detector(uchardet_new());
  for (const std::string_view part : sample) {
    if (uchardet_handle_data(detector.get(), part.data(), part.size()) != 0) return std::nullopt;
  }
  uchardet_data_end(detector.get());
  return CanonicalEncoding(uchardet_get_charset(detector.get()));
}

bool DecodesWell(const Sample& sample, const std::string& encoding) {
  uint64_t characters = 0;
  uint64_t errors = 0;
  for (const std::string_view part : sample) {
    const Decoded decoded = DecodeToUtf8(part, encoding, 8 * part.size() + 64);
    // The end of a part may cut a character.
    const uint64_t cut = sample.size() > 1 ? 1 : 0;
    errors += decoded.errors > cut ? decoded.errors - cut : 0;
    for (const char c : decoded.utf8)
      characters += (static_cast<unsigned char>(c) & 0xC0U) == 0xC0U;
  }
  // One error in 200 non-ASCII characters is a private character of some vendor, not a wrong
  // encoding.
  return errors * 200 <= characters;
}

// Returns true where nearly every pair of non-ASCII bytes is one of the 3,755 most common Chinese
// characters or punctuation marks of GB2312. uchardet takes short Chinese texts for Cyrillic, Greek
// or Korean. Cyrillic and Greek letters do not come in pairs. The first bytes of Korean syllables
// all lie below 0xC9; in a Chinese text only about three of five do.
bool IsPlainGb2312(const Sample& sample) {
  uint64_t low = 0;
  uint64_t high = 0;
  uint64_t other = 0;
  for (const std::string_view part : sample) {
    for (size_t i = 0; i < part.size(); ++i) {
      const auto lead = static_cast<unsigned char>(part[i]);
      if (lead < 0x80) continue;
      const unsigned trail = i + 1 < part.size() ? static_cast<unsigned char>(part[i + 1]) : 0;
      const bool is_pair = trail >= 0xA1 && trail != 0xFF;
      if (is_pair && lead >= 0xC9 && lead <= 0xD7) {
        ++high;
      } else if (!is_pair || ((lead < 0xB0 || lead > 0xC8) && lead != 0xA1 && lead != 0xA3)) {
        ++other;
      } else {
        ++low;
      }
      i += trail >= 0x40 ? 1 : 0;
    }
  }
  return high >= 1 && low + high >= 12 * other && high * 6 >= low;
}

}  // namespace

std::optional<std::string> EncodingOfBom(std::string_view bytes) {
  using namespace std::string_view_literals;
  constexpr std::array<std::pair<std::string_view, const char*>, 6> kBoms{{
      {"\xEF\xBB\xBF"sv, "UTF-8"},
      // It comes before UTF-16LE because it begins with the BOM of UTF-16LE.
      {"\xFF\xFE\0\0"sv, "UTF-32LE"},
      {"\0\0\xFE\xFF"sv, "UTF-32BE"},
      {"\xFF\xFE"sv, "UTF-16LE"},
      {"\xFE\xFF"sv, "UTF-16BE"},
      {"\x84\x31\x95\x33"sv, "GB18030"},
  }};
  for (const auto& [bom, name] : kBoms) {
    if (bytes.starts_with(bom)) return name;
  }
  return std::nullopt;
}

DetectedEncoding DetectEncoding(std::string_view bytes) {
  if (std::optional<std::string> name = EncodingOfBom(bytes)) return {.name = *std::move(name)};
  // Bytes with NULs may be well-formed UTF-8 and are still more likely UTF-16.
  if (std::optional<std::string> name = Utf16WithoutBom(bytes)) {
    return {.name = *std::move(name), .is_guess = true};
  }
  const size_t telling = FindIllFormedUtf8(bytes);
  if (telling == std::string_view::npos) {
    // ISO-2022 switches between character sets by escape sequences and is ASCII to the eye.
    const bool switches = bytes.find("\x1B$") != std::string_view::npos;
    std::optional<std::string> guess;
    if (switches) guess = AskUchardet(TakeSample(bytes, bytes.find("\x1B$")));
    if (guess && guess->starts_with("ISO-2022"))
      return {.name = *std::move(guess), .is_guess = true};
    return {.name = "UTF-8"};
  }
  const Sample sample = TakeSample(bytes, telling);
  if (IsNearlyUtf8(sample)) return {.name = "UTF-8", .is_guess = true};
  if (IsPlainGb2312(sample)) return {.name = "GB18030", .is_guess = true};
  std::vector<std::string> candidates;
  if (std::optional<std::string> guess = AskUchardet(sample))
    candidates.push_back(*std::move(guess));
  for (const char* name : {"GB18030", "Big5", "Shift_JIS", "EUC-JP", "windows-949"}) {
    candidates.emplace_back(name);
  }
  for (std::string& candidate : candidates) {
    if (candidate != "UTF-8" && DecodesWell(sample, candidate)) {
      return {.name = std::move(candidate), .is_guess = true};
    }
  }
  // Every byte has a meaning in windows-1252.
  return {.name = "windows-1252", .is_guess = true};
}

bool DecodesWell(std::string_view bytes, const std::string& encoding) {
  const auto first =
      std::find_if(bytes.begin(), bytes.end(), [](char c) { return (c & 0x80) != 0; });
  return DecodesWell(TakeSample(bytes, static_cast<size_t>(first - bytes.begin())), encoding);
}

bool LooksBinary(std::string_view bytes) {
  if (bytes.find('\0') != std::string_view::npos) return true;
  uint64_t size = 0;
  uint64_t controls = 0;
  for (const std::string_view part : TakeSample(bytes, bytes.size() / 4)) {
    size += part.size();
    for (const char c : part) {
      // ESC switches character sets in ISO-2022; 0x1A ends DOS files.
      controls +=
          (c >= 0 && c < 0x20 && c != 0x1A && c != 0x1B && (c < '\t' || c > '\r')) || c == 0x7F;
    }
  }
  // In random bytes 26 of 256 values are such characters, one in ten; text has hardly any.
  return controls * 20 > size;
}

}  // namespace tome
