// Which format a file has, by its first bytes first and its name second.
#pragma once

#include <string_view>

namespace tome {

enum class Format { kText, kMarkdown, kHtml, kPdf, kEpub, kDocx, kOdt };

// "text", "markdown", "html", "pdf", "epub", "docx", "odt".
std::string_view FormatName(Format format);

// `bytes` is the whole file or at least its first 4 KiB and, for a ZIP container, its end.
// `file_name` decides where the bytes do not (Markdown looks like text). Error(kUnsupported) for
// what is recognisably something else: an image, a program, an old .doc, an unknown ZIP; the
// message says what.
Format DetectFormat(std::string_view bytes, std::string_view file_name);

}  // namespace tome
