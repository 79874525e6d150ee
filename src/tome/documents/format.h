// DetectFormat tells the format of a file by its first bytes first and its name second.
#pragma once

#include <string_view>

namespace tome {

enum class Format { kText, kMarkdown, kHtml, kPdf, kEpub, kDocx, kOdt };

// Returns "text", "markdown", "html", "pdf", "epub", "docx" or "odt".
std::string_view FormatName(Format format);

// `bytes` is the whole file or at least its first 4 KiB and, for a ZIP container, its end.
// `file_name` decides where the bytes do not (Markdown looks like text). Throws
// Error(kUnsupported), naming it, for a file of another kind: an image, a program, an old .doc, an
// unknown ZIP. Throws Error(kCorrupt) for a file that is named like a PDF, EPUB, DOCX or ODT but
// does not begin like one.
Format DetectFormat(std::string_view bytes, std::string_view file_name);

}  // namespace tome
