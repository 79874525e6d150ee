#include "tome/documents/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr std::array<std::pair<Format, std::string_view>, 7> kNames{{
    {Format::kText, "text"},
    {Format::kMarkdown, "markdown"},
    {Format::kHtml, "html"},
    {Format::kPdf, "pdf"},
    {Format::kEpub, "epub"},
    {Format::kDocx, "docx"},
    {Format::kOdt, "odt"},
}};

constexpr std::array<std::pair<std::string_view, Format>, 9> kExtensions{{
    {".md", Format::kMarkdown},
    {".markdown", Format::kMarkdown},
    {".html", Format::kHtml},
    {".htm", Format::kHtml},
    {".xhtml", Format::kHtml},
    {".pdf", Format::kPdf},
    {".epub", Format::kEpub},
    {".docx", Format::kDocx},
    {".odt", Format::kOdt},
}};

// Each entry holds the first bytes of a kind of file that Tome does not read, and its name for the
// message.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kForeign{{
    {"\x89PNG", "a PNG image"},
    {"\xFF\xD8\xFF", "a JPEG image"},
    {"GIF8", "a GIF image"},
    {"\x7F"
     "ELF",
     "a program"},
    {"\x1F\x8B", "a gzip archive; unpack it first"},
    {"BZh", "a bzip2 archive; unpack it first"},
    {"\xFD"
     "7zXZ",
     "an xz archive; unpack it first"},
    {"7z\xBC\xAF", "a 7-Zip archive; unpack it first"},
    {"Rar!", "a RAR archive; unpack it first"},
    {"\xD0\xCF\x11\xE0", "an old Office file (.doc, .xls, .ppt); save it as .docx"},
    {"SQLite format 3", "a SQLite database"},
}};

std::optional<Format> ByExtension(std::string_view file_name) {
  const std::string lower = LowerAscii(file_name);
  for (const auto& [extension, format] : kExtensions) {
    if (lower.ends_with(extension)) return format;
  }
  return std::nullopt;
}

// EPUB and ODT begin with an uncompressed entry "mimetype". DOCX is known by its main part, whose
// name stands in the directory at the end of the file.
Format DetectZip(std::string_view bytes, std::string_view file_name) {
  constexpr size_t kFirstName = 30;
  const std::string_view first = bytes.substr(std::min(kFirstName, bytes.size()), 128);
  if (first.starts_with("mimetype")) {
    if (first.find("application/epub+zip") != std::string_view::npos) return Format::kEpub;
    if (first.find("application/vnd.oasis.opendocument.text") != std::string_view::npos) {
      return Format::kOdt;
    }
  }
  constexpr size_t kDirectoryBytes = size_t{1} << 20;
  const std::string_view end = bytes.substr(bytes.size() - std::min(bytes.size(), kDirectoryBytes));
  if (end.find("word/document.xml") != std::string_view::npos) return Format::kDocx;
  if (end.find("META-INF/container.xml") != std::string_view::npos) return Format::kEpub;
  const std::optional<Format> named = ByExtension(file_name);
  if (named == Format::kEpub || named == Format::kDocx || named == Format::kOdt) return *named;
  throw Error(Code::kUnsupported,
              "is a ZIP archive but no EPUB, DOCX or ODT; unpack it and name the files in it");
}

bool LooksLikeHtml(std::string_view bytes) {
  const std::string head = LowerAscii(bytes.substr(0, 1024));
  const size_t start = head.find_first_not_of("\xEF\xBB\xBF \t\r\n");
  if (start == std::string::npos) return false;
  const std::string_view rest = std::string_view(head).substr(start);
  return rest.starts_with("<!doctype html") || rest.starts_with("<html") ||
         (rest.starts_with("<?xml") && rest.find("<html") != std::string_view::npos);
}

}  // namespace

std::string_view FormatName(Format format) {
  for (const auto& [value, name] : kNames) {
    if (value == format) return name;
  }
  return "text";
}

Format DetectFormat(std::string_view bytes, std::string_view file_name) {
  // Some producers put a line before the PDF header; the standard's annex H allows 1024 bytes.
  if (bytes.substr(0, 1024).find("%PDF-") != std::string_view::npos) return Format::kPdf;
  if (bytes.starts_with("PK\x03\x04")) return DetectZip(bytes, file_name);
  for (const auto& [magic, what] : kForeign) {
    if (bytes.starts_with(magic)) {
      throw Error(Code::kUnsupported, fmt::format("is {}, not a document Tome reads", what));
    }
  }
  const std::optional<Format> named = ByExtension(file_name);
  if (named == Format::kPdf || named == Format::kEpub || named == Format::kDocx ||
      named == Format::kOdt) {
    throw Error(Code::kCorrupt, fmt::format("is named like {} but does not begin like one",
                                            LowerAscii(FormatName(*named))));
  }
  if (named) return *named;
  return LooksLikeHtml(bytes) ? Format::kHtml : Format::kText;
}

}  // namespace tome
