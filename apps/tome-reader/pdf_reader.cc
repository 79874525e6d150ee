#include "apps/tome-reader/pdf_reader.h"

#include <fmt/format.h>

#include <climits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/tome-reader/ocr.h"
#include "apps/tome-reader/outline.h"
#include "apps/tome-reader/parallel_pages.h"
#include "apps/tome-reader/pdf_file.h"
#include "apps/tome-reader/pdf_page.h"
#include "tome/base/error.h"
#include "tome/documents/document_builder.h"
#include "tome/documents/limits.h"
#include "tome/documents/readers/page_layout.h"

namespace tome {
namespace {

// Opening a document again costs about as much as reading a few pages.
constexpr size_t kMinPagesPerThread = 8;
constexpr size_t kMaxNotedRanges = 20;

struct PdfContent {
  std::vector<PageWords> pages = {};
  std::vector<float> crop_tops = {};
  std::vector<size_t> scans = {};  // indices of pages
  std::vector<size_t> damaged = {};
};

size_t CheckedPageCount(const PdfFile& file) {
  const int count = file.page_count();
  if (count <= 0) throw Error(Code::kCorrupt, "the PDF has no pages");
  if (static_cast<uint64_t>(count) > kMaxPages) {
    throw Error(Code::kUnsupported, fmt::format("the PDF has more than {} pages", kMaxPages));
  }
  return static_cast<size_t>(count);
}

// `file` is open over `bytes`; the other threads open it again for themselves.
PdfContent ReadPages(const PdfFile& file, std::string_view bytes, const ReadOptions& options) {
  const size_t count = CheckedPageCount(file);
  std::vector<PdfPage> pages(count);
  std::vector<char> damaged(count, 0);
  const size_t useful = count / kMinPagesPerThread + 1;
  const int threads = static_cast<int>(
      std::min<size_t>(useful, options.threads < 1 ? 1 : static_cast<size_t>(options.threads)));
  const auto open = [&](size_t worker) {
    return worker == 0 ? nullptr : std::make_unique<const PdfFile>(bytes);
  };
  const auto read = [&](const std::unique_ptr<const PdfFile>& own, size_t i) {
    const ObjectHandle<PopplerPage> page = (own ? *own : file).OpenPage(static_cast<int>(i));
    if (page) pages[i] = ReadPdfPage(page.get());
    damaged[i] = page == nullptr ? 1 : 0;
  };
  ForEachPage(count, threads, options.control, "reading", open, read);
  PdfContent content;
  for (size_t i = 0; i < count; ++i) {
    content.pages.push_back(std::move(pages[i].words));
    content.crop_tops.push_back(pages[i].crop_top);
    if (pages[i].is_scan) content.scans.push_back(i);
    if (damaged[i] != 0) content.damaged.push_back(i);
  }
  return content;
}

// Returns "page 3 is" or "pages 1-12, 15 are".
std::string PagesAre(const std::vector<size_t>& indices) {
  std::string ranges;
  size_t n_ranges = 0;
  for (size_t i = 0; i < indices.size();) {
    size_t end = i + 1;
    while (end < indices.size() && indices[end] == indices[end - 1] + 1) ++end;
    if (++n_ranges > kMaxNotedRanges) {
      ranges += ", …";
      break;
    }
    ranges += ranges.empty() ? "" : ", ";
    ranges += end - i == 1 ? fmt::format("{}", indices[i] + 1)
                           : fmt::format("{}-{}", indices[i] + 1, indices[end - 1] + 1);
    i = end;
  }
  return indices.size() == 1 ? fmt::format("page {} is", ranges)
                             : fmt::format("pages {} are", ranges);
}

bool HasText(const std::vector<PageWords>& pages) {
  for (const PageWords& page : pages) {
    if (!page.words.empty()) return true;
  }
  return false;
}

}  // namespace

Document ReadPdf(std::string_view bytes, const ReadOptions& options) {
  if (bytes.size() > INT_MAX) throw Error(Code::kUnsupported, "the PDF is larger than 2 GiB");
  DocumentBuilder builder("pdf");
  PdfContent content;
  std::vector<OutlineEntry> outline;
  {
    const PdfFile file(bytes);
    content = ReadPages(file, bytes, options);
    outline = ReadOutline(file, content.crop_tops);
    builder.SetTitle(file.Title());
  }
  if (!content.damaged.empty()) {
    builder.AddNote(PagesAre(content.damaged) + " damaged and left out");
  }
  if (!content.scans.empty() && options.ocr) {
    RecognisePages(bytes, content.scans, options, content.pages);
    builder.AddNote(PagesAre(content.scans) + " read by OCR; expect mistakes");
  } else if (!content.scans.empty()) {
    if (content.scans.size() == content.pages.size() || !HasText(content.pages)) {
      throw Error(Code::kUnsupported, "this is a scanned PDF: its pages are images without text",
                  {Advice::Use(Setting::kOcr)});
    }
    const bool one = content.scans.size() == 1;
    builder.AddNote(
        {PagesAre(content.scans) + (one ? " a scan" : " scans") + " without text",
         {Advice::Use(Setting::kOcr, {},
                      one ? "which reads it with tesseract" : "which reads them with tesseract")}});
  }
  LayOutPages(std::move(content.pages), outline, options.control, builder);
  return std::move(builder).Finish();
}

}  // namespace tome
