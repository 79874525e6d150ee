#include "apps/tome-reader/ocr.h"

#include <fmt/format.h>
#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>

#include "apps/tome-reader/parallel_pages.h"
#include "apps/tome-reader/tesseract.h"
#include "tome/base/error.h"

namespace tome {
namespace {

// tesseract was trained for this resolution.
constexpr double kDpi = 300;
// An A3 page at 300 dpi has 17 million pixels; a larger poster is rendered more coarsely.
constexpr double kMaxPixels = 40e6;
constexpr float kPointsPerInch = 72;

struct PageImage {
  std::string pgm = {};  // grey
  int dpi = 0;
};

PageImage Render(const poppler::page& page) {
  const poppler::rectf rect = page.page_rect();
  const double area =
      std::max(1.0, rect.width() * rect.height()) / (kPointsPerInch * kPointsPerInch);
  const double dpi = std::max(1.0, std::floor(std::min(kDpi, std::sqrt(kMaxPixels / area))));
  poppler::page_renderer renderer;
  renderer.set_image_format(poppler::image::format_gray8);
  renderer.set_render_hint(poppler::page_renderer::antialiasing);
  renderer.set_render_hint(poppler::page_renderer::text_antialiasing);
  const poppler::image image = renderer.render_page(&page, dpi, dpi);
  if (!image.is_valid()) return {};
  PageImage result{.pgm = fmt::format("P5\n{} {}\n255\n", image.width(), image.height()),
                   .dpi = static_cast<int>(dpi)};
  const auto width = static_cast<size_t>(image.width());
  for (int y = 0; y < image.height(); ++y) {
    result.pgm.append(image.const_data() + static_cast<ptrdiff_t>(y) * image.bytes_per_row(),
                      width);
  }
  return result;
}

// A TsvRow is one row of the TSV: level, page, block, paragraph, line, word, left, top, width,
// height, confidence, text. Boxes are in pixels.
struct TsvRow {
  std::array<int, 10> numbers{};
  std::string_view text;

  int level() const { return numbers[0]; }
  Box box(float scale) const {
    const auto left = static_cast<float>(numbers[6]);
    const auto top = static_cast<float>(numbers[7]);
    return {left * scale, top * scale, (left + static_cast<float>(numbers[8])) * scale,
            (top + static_cast<float>(numbers[9])) * scale};
  }
};

constexpr int kWordLevel = 5;

std::optional<TsvRow> ParseRow(std::string_view line) {
  TsvRow row;
  for (int& number : row.numbers) {
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) return std::nullopt;
    const auto parsed = std::from_chars(line.data(), line.data() + tab, number);
    if (parsed.ec != std::errc() || parsed.ptr != line.data() + tab) return std::nullopt;
    line.remove_prefix(tab + 1);
  }
  const size_t tab = line.find('\t');  // after the confidence
  if (tab == std::string_view::npos) return std::nullopt;
  row.text = line.substr(tab + 1);
  return row;
}

float Median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Boxes of recognised words hug their ink ("aces" is lower than "high"). All words of a line
// therefore get the height of the line, which is nearly its type size where it has letters of all
// kinds.
void LevelLine(std::vector<Word>& words, size_t first) {
  if (first == words.size()) return;
  Box line = words[first].box;
  std::vector<float> heights;
  for (size_t i = first; i < words.size(); ++i) {
    Unite(words[i].box, line);
    heights.push_back(words[i].box.height());
  }
  // A brace over two lines, or a speck, does not show the height of its line.
  const float usual = Median(std::move(heights));
  const bool outlier = line.height() > 1.8F * usual;
  for (size_t i = first; i < words.size(); ++i) {
    Box& box = words[i].box;
    if (!outlier) {
      box.top = line.top;
      box.bottom = line.bottom;
    }
    words[i].font_size = std::max(outlier ? usual : line.height(), 1.0F);
  }
}

// Lines of nearly the page's usual height get one size, because the ink of a line without
// descenders says nothing about its type.
void LevelPage(std::vector<Word>& words) {
  if (words.empty()) return;
  std::vector<float> sizes;
  sizes.reserve(words.size());
  for (const Word& word : words) sizes.push_back(word.font_size);
  const float usual = Median(std::move(sizes));
  for (Word& word : words) {
    if (word.font_size < 0.65F * usual || word.font_size > 1.4F * usual) continue;
    const float middle = word.box.center_y();
    word.font_size = usual;
    word.box.top = middle - usual / 2;
    word.box.bottom = middle + usual / 2;
  }
}

}  // namespace

std::vector<Word> WordsOfTsv(std::string_view tsv, int dpi) {
  const float scale = kPointsPerInch / static_cast<float>(std::max(dpi, 1));
  std::vector<Word> words;
  size_t line_start = 0;
  while (!tsv.empty()) {
    const size_t end = std::min(tsv.find('\n'), tsv.size());
    const std::optional<TsvRow> row = ParseRow(tsv.substr(0, end));
    tsv.remove_prefix(std::min(end + 1, tsv.size()));
    if (!row) continue;
    if (row->level() < kWordLevel) {
      LevelLine(words, line_start);
      line_start = words.size();
    } else if (row->text.find_first_not_of(' ') != std::string_view::npos) {
      words.push_back(
          {.text = std::string(row->text), .box = row->box(scale), .space_after = true});
    }
  }
  LevelLine(words, line_start);
  LevelPage(words);
  return words;
}

void RecognisePages(std::string_view bytes, const std::vector<size_t>& scans,
                    const ReadOptions& options, std::vector<PageWords>& pages) {
  const std::string languages = TesseractLanguages(options.control);
  poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
  const auto open = [&](size_t /*worker*/) {
    return std::unique_ptr<poppler::document>(
        poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
  };
  const auto recognise = [&](const std::unique_ptr<poppler::document>& document, size_t i) {
    if (!document) throw Error(Code::kCorrupt, "the file cannot be opened for rendering");
    const std::unique_ptr<poppler::page> page(document->create_page(static_cast<int>(scans[i])));
    if (!page) return;
    const PageImage image = Render(*page);
    if (image.pgm.empty()) return;
    PageWords& words = pages[scans[i]];
    words.words =
        WordsOfTsv(RunTesseract(image.pgm, image.dpi, languages, options.control), image.dpi);
    words.recognised = true;
  };
  ForEachPage(scans.size(), options.threads, options.control, "recognising", open, recognise);
}

}  // namespace tome
