#include "tome/text/encoding.h"

#include <fmt/format.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

// Names that files use for a superset of the encoding that ICU would take, or that ICU does not
// know. They are written in the form that Folded() returns.
constexpr std::array<std::pair<std::string_view, const char*>, 22> kSupersets{{
    {"utf8", "UTF-8"},
    {"utf8bom", "UTF-8"},
    {"gb2312", "GB18030"},
    {"gb231280", "GB18030"},
    {"gbk", "GB18030"},
    {"cp936", "GB18030"},
    {"windows936", "GB18030"},
    {"euccn", "GB18030"},
    {"xgbk", "GB18030"},
    {"hzgb2312", "HZ-GB-2312"},
    {"ascii", "windows-1252"},
    {"usascii", "windows-1252"},
    {"iso88591", "windows-1252"},
    {"latin1", "windows-1252"},
    {"iso88599", "windows-1254"},
    {"iso885911", "windows-874"},
    {"tis620", "windows-874"},
    {"euckr", "windows-949"},
    {"ksc56011987", "windows-949"},
    {"uhc", "windows-949"},
    {"windows31j", "Shift_JIS"},
    {"sjis", "Shift_JIS"},
}};

// Returns the name in lower case without '-', '_' and ' '.
std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == ' ') continue;
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return folded;
}

// ICU takes options after a comma in a name and opens files by path. Neither may come from outside.
bool IsPlainName(std::string_view name) {
  constexpr size_t kMaxName = 60;
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == ':' || c == '.' || c == '+';
         });
}

Converter Open(const char* name) {
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(name, &status));
  if (U_FAILURE(status)) converter.reset();
  return converter;
}

// Counts a sequence that cannot be converted and writes U+FFFD. ICU calls it for each of them.
void CountAndReplace(const void* context, UConverterToUnicodeArgs* args, const char*, int32_t,
                     UConverterCallbackReason reason, UErrorCode* status) {
  if (reason > UCNV_IRREGULAR) return;  // reset, close or clone
  ++*static_cast<uint64_t*>(const_cast<void*>(context));
  *status = U_ZERO_ERROR;
  constexpr UChar kReplacement = 0xFFFD;
  ucnv_cbToUWriteUChars(args, &kReplacement, 1, 0, status);
}

}  // namespace

std::optional<std::string> CanonicalEncoding(std::string_view name) {
  if (!IsPlainName(name)) return std::nullopt;
  const std::string folded = Folded(name);
  for (const auto& [alias, superset] : kSupersets) {
    if (folded == alias || folded == Folded(superset)) return superset;
  }
  const std::string terminated(name);
  const Converter converter = Open(terminated.c_str());
  if (!converter) return std::nullopt;
  UErrorCode status = U_ZERO_ERROR;
  const char* internal = ucnv_getName(converter.get(), &status);
  for (const char* standard : {"MIME", "IANA"}) {
    status = U_ZERO_ERROR;
    const char* known = ucnv_getStandardName(internal, standard, &status);
    if (U_SUCCESS(status) && known != nullptr) return known;
  }
  return internal;
}

std::string RequireEncoding(std::string_view name) {
  if (std::optional<std::string> known = CanonicalEncoding(name)) return *std::move(known);
  throw Error(Code::kInvalidArgument,
              fmt::format("unknown encoding '{}'; known ones are UTF-8, UTF-16LE, GB18030, Big5, "
                          "Shift_JIS, EUC-JP, EUC-KR, windows-1252 and what else ICU knows",
                          name.substr(0, 60)));
}

Decoded DecodeToUtf8(std::string_view bytes, const std::string& encoding, uint64_t max_bytes) {
  const Converter source = Open(encoding.c_str());
  const Converter utf8 = Open("UTF-8");
  TOME_CHECK(source && utf8);  // the name is canonical
  Decoded decoded;
  UErrorCode status = U_ZERO_ERROR;
  ucnv_setToUCallBack(source.get(), CountAndReplace, &decoded.errors, nullptr, nullptr, &status);

  // Two-byte encodings of Chinese need half more than the input. Unused memory stays untouched.
  decoded.utf8.reserve(std::min<uint64_t>(bytes.size() + bytes.size() / 2, max_bytes));
  std::array<char, 1 << 16> piece;
  std::array<UChar, 1 << 14> pivot;
  UChar* pivot_source = pivot.data();
  UChar* pivot_target = pivot.data();
  const char* in = bytes.data();
  const char* const in_end = in + bytes.size();
  bool first = true;
  do {
    char* out = piece.data();
    status = U_ZERO_ERROR;
    ucnv_convertEx(utf8.get(), source.get(), &out, piece.data() + piece.size(), &in, in_end,
                   pivot.data(), &pivot_source, &pivot_target, pivot.data() + pivot.size(), first,
                   true, &status);
    first = false;
    const auto written = static_cast<size_t>(out - piece.data());
    if (written > max_bytes - decoded.utf8.size()) {
      throw Error(Code::kOutOfMemory,
                  fmt::format("the text is larger than the limit of {} MiB; split the document",
                              max_bytes >> 20));
    }
    decoded.utf8.append(piece.data(), written);
  } while (status == U_BUFFER_OVERFLOW_ERROR);
  if (U_FAILURE(status)) {
    throw Error(Code::kCorrupt,
                fmt::format("the text cannot be read as {}: {}", encoding, u_errorName(status)));
  }
  return decoded;
}

}  // namespace tome
