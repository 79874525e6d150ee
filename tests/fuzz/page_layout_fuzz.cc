// Makes pages of words from any bytes and lays them out: any words give a document that keeps its
// promises.
//
// The input is read as commands of eight bytes: kind, x, y, width, size, flags, two bytes of text.
// Commands place words on a page, begin a page, or name an entry of the outline.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tome/documents/document.h"
#include "tome/documents/readers/page_layout.h"

namespace {

constexpr size_t kCommandBytes = 8;
constexpr size_t kMaxCommands = 4096;

std::string TextOf(uint8_t a, uint8_t b) {
  static constexpr const char* kTexts[] = {
      "the", "infor-", "mation", "well-", "known", "12", "xiv",  "中文",
      "，",  "•",      "....",   "2.1",   "End.",  "A",  "\xFF", "\xEF\xAC\x81"};
  return b % 3 == 0 ? std::string(1 + b / 64U, static_cast<char>(a)) : kTexts[a % 16];
}

tome::Word WordOf(const uint8_t* c) {
  // Grids of 2.5 and 3.25 points let words fall into lines and columns.
  const float x = 2.5F * c[1];
  const float y = 3.25F * c[2];
  const float size = c[4] % 4 == 0 ? 18.0F : 10.0F;
  return {.text = TextOf(c[6], c[7]),
          .box = {x, y, x + 0.5F * c[3], y + size},
          .font_size = size,
          .bold = (c[5] & 1) != 0,
          .mono = (c[5] & 6) == 6,
          .space_after = (c[5] & 8) != 0,
          .turn = static_cast<uint8_t>((c[5] & 0xF0) == 0xF0 ? c[5] : 0)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<tome::PageWords> pages(1);
  std::vector<tome::OutlineEntry> outline;
  const size_t count = std::min(size / kCommandBytes, kMaxCommands);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* c = data + i * kCommandBytes;
    if (c[0] < 8) {
      pages.emplace_back();
    } else if (c[0] < 16) {
      outline.push_back({.level = c[1] % 5,
                         .title = TextOf(c[6], c[7]),
                         .page = c[2] % 8 - 1,
                         .y = 4.0F * c[3] - 10});
    } else {
      pages.back().words.push_back(WordOf(c));
    }
  }
  for (tome::PageWords& page : pages) {
    page.width = 640;
    page.height = 830;
  }
  tome::DocumentBuilder builder("pdf");
  tome::LayOutPages(std::move(pages), outline, {}, builder);
  tome::CheckDocument(std::move(builder).Finish());
  return 0;
}
