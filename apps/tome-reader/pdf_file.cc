#include "apps/tome-reader/pdf_file.h"

#include <algorithm>
#include <array>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr std::array<std::string_view, 8> kExtensions{".doc", ".docx", ".pdf", ".tex",
                                                      ".dvi", ".rtf",  ".odt", ".indd"};

constexpr std::array<std::string_view, 6> kJunkTitles{
    "untitled",    "无标题",  "microsoft word - ", "microsoft powerpoint - ",
    "(anonymous)", "no title"};

bool EndsWithExtension(std::string_view title) {
  return std::any_of(kExtensions.begin(), kExtensions.end(),
                     [&](std::string_view extension) { return title.ends_with(extension); });
}

bool IsJunkTitle(std::string_view title) {
  std::string lower(title);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return EndsWithExtension(lower) ||
         std::any_of(kJunkTitles.begin(), kJunkTitles.end(),
                     [&](std::string_view junk) { return lower.starts_with(junk); });
}

}  // namespace

PdfFile::PdfFile(std::string_view bytes) : bytes_(g_bytes_new_static(bytes.data(), bytes.size())) {
  GError* raw_error = nullptr;
  document_.reset(poppler_document_new_from_bytes(bytes_.get(), nullptr, &raw_error));
  const ErrorHandle error(raw_error);
  if (document_) return;
  if (error && error->domain == POPPLER_ERROR && error->code == POPPLER_ERROR_ENCRYPTED) {
    throw Error(Code::kUnsupported, "the PDF is encrypted; remove the password first");
  }
  throw Error(Code::kCorrupt, "the file is not a PDF, or too damaged to be repaired");
}

ObjectHandle<PopplerPage> PdfFile::OpenPage(int index) const {
  return ObjectHandle<PopplerPage>(poppler_document_get_page(document_.get(), index));
}

std::string PdfFile::Title() const {
  const GlibHandle<char> title(poppler_document_get_title(document_.get()));
  if (!title) return {};
  std::string text = CollapseWhiteSpace(NormalizeText(title.get()));
  return IsJunkTitle(text) ? std::string() : text;
}

}  // namespace tome
