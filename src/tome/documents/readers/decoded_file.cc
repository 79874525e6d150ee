#include "tome/documents/readers/decoded_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/limits.h"
#include "tome/text/encoding.h"
#include "tome/text/encoding_detection.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// A declaration is often left behind when a file is converted to UTF-8. Text in another encoding is
// well-formed UTF-8 by accident only where it has very few non-ASCII characters.
bool IsSurelyUtf8(std::string_view bytes) {
  constexpr int64_t kEnough = 16;
  const auto is_high = [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; };
  return std::count_if(bytes.begin(), bytes.end(), is_high) >= kEnough && IsValidUtf8(bytes);
}

std::string ChooseEncoding(std::string_view bytes, const ReadOptions& options,
                           std::optional<std::string_view> declared, std::vector<Note>& notes) {
  if (!options.encoding.empty()) return RequireEncoding(options.encoding);
  if (std::optional<std::string> bom = EncodingOfBom(bytes)) return *std::move(bom);
  std::optional<std::string> name;
  if (declared) name = CanonicalEncoding(*declared);
  // A file whose declaration could be read is not UTF-16 or UTF-32. HTML has the same rule.
  if (name && (name->starts_with("UTF-16") || name->starts_with("UTF-32"))) name = "UTF-8";
  if (name && (*name == "UTF-8" || !IsSurelyUtf8(bytes)) && DecodesWell(bytes, *name)) {
    return *std::move(name);
  }
  DetectedEncoding found = DetectEncoding(bytes);
  if (name && *name != found.name) {
    notes.push_back(fmt::format("the file declares {} but is not in it", *name));
  }
  if (found.is_guess) {
    notes.emplace_back(fmt::format("the encoding is a guess: {}", found.name),
                       std::vector{Advice::Name(Setting::kEncoding)});
  }
  return std::move(found.name);
}

}  // namespace

void DecodeFile(std::string_view bytes, const ReadOptions& options,
                std::optional<std::string_view> declared, DecodedFile& file) {
  file.encoding = ChooseEncoding(bytes, options, declared, file.notes);
  const bool is_wide = file.encoding.starts_with("UTF-16") || file.encoding.starts_with("UTF-32");
  if (!is_wide && LooksBinary(bytes)) {
    throw Error(Code::kUnsupported, "the file looks like binary data, not text");
  }
  // A reader drops white space, which may be as long again as the text.
  constexpr uint64_t kMaxDecodedBytes = 2 * kMaxTextBytes;
  if (file.encoding == "UTF-8") {
    file.utf8 = bytes;
    if (file.notes.empty() && !IsValidUtf8(bytes)) {
      file.notes.emplace_back("bytes that are not UTF-8 became U+FFFD");
    }
    return;
  }
  Decoded decoded = DecodeToUtf8(bytes, file.encoding, kMaxDecodedBytes);
  file.converted = std::move(decoded.utf8);
  file.utf8 = file.converted;
  if (decoded.errors > 0) {
    file.notes.push_back(fmt::format("{} characters could not be read as {} and became U+FFFD",
                                     decoded.errors, file.encoding));
  }
  if (is_wide && LooksBinary(file.utf8)) {
    throw Error(Code::kUnsupported, "the file looks like binary data, not text");
  }
}

}  // namespace tome
