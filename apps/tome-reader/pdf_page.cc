#include "apps/tome-reader/pdf_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

namespace tome {
namespace {

constexpr std::array<std::string_view, 10> kMonoNames{"mono",  "courier", "consol", "typewriter",
                                                      "menlo", "cmtt",    "sftt",   "nimbusmon",
                                                      "fixed", "code"};

// A scan may carry a stamped page number or a watermark as text.
constexpr size_t kMaxScanLetters = 24;
// The images of a scan cover at least this part of the page. Margins may have been cut off.
constexpr double kMinScanArea = 0.3;

struct Font {
  float size = 10;
  bool bold = false;
  bool mono = false;
};

bool Contains(std::string_view name, std::string_view part) {
  return std::search(name.begin(), name.end(), part.begin(), part.end(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         }) != name.end();
}

Font FontOf(const PopplerTextAttributes& attributes) {
  const std::string_view name = attributes.font_name == nullptr ? "" : attributes.font_name;
  Font font{.size = static_cast<float>(attributes.font_size)};
  font.bold = Contains(name, "bold") || Contains(name, "black") || Contains(name, "heavy");
  font.mono = std::any_of(kMonoNames.begin(), kMonoNames.end(),
                          [&](std::string_view part) { return Contains(name, part); });
  return font;
}

// Walks the runs of one font along with the characters.
class FontRuns {
 public:
  explicit FontRuns(GList* list) : next_(list) {}

  const Font& At(int index) {
    while (next_ != nullptr) {
      const auto& attributes = *static_cast<const PopplerTextAttributes*>(next_->data);
      if (attributes.start_index > index) break;
      font_ = FontOf(attributes);
      next_ = next_->next;
    }
    return font_;
  }

 private:
  GList* next_;
  Font font_;
};

Box BoxOf(const PopplerRectangle& r) {
  return {static_cast<float>(r.x1), static_cast<float>(r.y1), static_cast<float>(r.x2),
          static_cast<float>(r.y2)};
}

// Returns true for marks that poppler puts around right-to-left text without boxes of their own.
bool IsDirectionMark(gunichar c) { return c >= 0x202A && c <= 0x202E; }

// White space up to this width between letters is kerning. Wider white space ends a word, because
// poppler leaves out the space where a line's parts are far apart.
constexpr float kMaxLetterGapEm = 0.25F;

bool IsApart(const Box& a, const Box& b, float em) {
  const float gap_x = std::max(b.left - a.right, a.left - b.right);
  const float gap_y = std::max(b.top - a.bottom, a.top - b.bottom);
  return std::max(gap_x, gap_y) > kMaxLetterGapEm * em;
}

// Splits the characters of a page at white space, drawn or not.
class WordBuilder {
 public:
  enum class After { kSpace, kLineEnd };

  explicit WordBuilder(std::vector<Word>& out) : out_(out) {}

  void Add(std::string_view letter, const Box& box, const Font& font) {
    if (!word_.text.empty() && IsApart(last_, box, word_.font_size)) End(After::kSpace);
    if (word_.text.empty()) {
      word_.box = box;
      word_.font_size = font.size;
      word_.bold = font.bold;
      word_.mono = font.mono;
      first_ = box;
    } else {
      Unite(box, word_.box);
      word_.bold = word_.bold && font.bold;
      word_.mono = word_.mono && font.mono;
    }
    word_.text += letter;
    last_ = box;
  }

  void End(After after) {
    if (word_.text.empty()) return;
    word_.space_after = after == After::kSpace;
    word_.turn = Turn();
    out_.push_back(std::move(word_));
    word_ = {};
  }

 private:
  // Returns the direction (Word::turn) from the first letter to the last; 0 for a single letter.
  uint8_t Turn() const {
    const float dx = (last_.left + last_.right - first_.left - first_.right) / 2;
    const float dy = last_.center_y() - first_.center_y();
    const float step = 0.5F * std::min(first_.height(), first_.width());
    if (std::abs(dy) > 2 * std::abs(dx) && std::abs(dy) > step) return dy > 0 ? 1 : 3;
    // Text that runs left is not called upside down, because right-to-left letters run left too.
    return 0;
  }

  std::vector<Word>& out_;  // of the caller
  Word word_;
  Box first_;
  Box last_;
};

void ReadWords(PopplerPage* page, std::vector<Word>& words) {
  const GlibHandle<char> text(poppler_page_get_text(page));
  if (!text || text.get()[0] == '\0') return;
  PopplerRectangle* raw_boxes = nullptr;
  guint n_boxes = 0;
  poppler_page_get_text_layout(page, &raw_boxes, &n_boxes);
  const GlibHandle<PopplerRectangle> boxes(raw_boxes);
  const AttributesHandle attributes(poppler_page_get_text_attributes(page));
  const auto n_letters = static_cast<guint>(g_utf8_strlen(text.get(), -1));
  FontRuns fonts(attributes.get());
  WordBuilder builder(words);
  guint index = 0;
  for (const char* at = text.get(); *at != '\0' && index < n_boxes;) {
    const char* next = g_utf8_next_char(at);
    const gunichar c = g_utf8_get_char(at);
    const bool unboxed = n_letters != n_boxes && IsDirectionMark(c);
    if (!unboxed) {
      const bool space = c == ' ' || c == 0xA0 || c == '\t';
      if (space || c == '\n') {
        builder.End(space ? WordBuilder::After::kSpace : WordBuilder::After::kLineEnd);
      } else {
        builder.Add({at, static_cast<size_t>(next - at)}, BoxOf(boxes.get()[index]),
                    fonts.At(static_cast<int>(index)));
      }
      ++index;
    }
    at = next;
  }
  builder.End(WordBuilder::After::kLineEnd);
}

bool HasLargeImage(PopplerPage* page, double page_area) {
  const ImagesHandle images(poppler_page_get_image_mapping(page));
  double area = 0;  // scans are often cut into strips
  for (const GList* item = images.get(); item != nullptr; item = item->next) {
    const PopplerRectangle& r = static_cast<const PopplerImageMapping*>(item->data)->area;
    area += std::abs((r.x2 - r.x1) * (r.y2 - r.y1));
  }
  return area >= kMinScanArea * page_area;
}

}  // namespace

PdfPage ReadPdfPage(PopplerPage* page) {
  PdfPage result;
  double width = 0;
  double height = 0;
  poppler_page_get_size(page, &width, &height);
  result.words.width = static_cast<float>(width);
  result.words.height = static_cast<float>(height);
  PopplerRectangle crop{};
  poppler_page_get_crop_box(page, &crop);
  result.crop_top = static_cast<float>(std::max(crop.y1, crop.y2));
  const GlibHandle<char> label(poppler_page_get_label(page));
  // For a PDF without labels, poppler answers with the number of the page, which labels nothing.
  if (label && label.get() != std::to_string(poppler_page_get_index(page) + 1)) {
    result.words.label = label.get();
  }
  ReadWords(page, result.words.words);
  size_t letters = 0;
  for (const Word& word : result.words.words) letters += word.text.size();
  result.is_scan = letters <= kMaxScanLetters && HasLargeImage(page, width * height);
  return result;
}

}  // namespace tome
