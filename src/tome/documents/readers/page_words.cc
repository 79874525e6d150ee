#include "tome/documents/readers/page_words.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr std::array<std::string_view, 7> kLigatures{"ff", "fi", "fl", "ffi", "ffl", "st", "st"};

// No page is larger: the PDF limit is 14,400 units, and Tome leaves room for odd user units.
constexpr float kMaxCoordinate = 1e5F;

bool IsSane(const Box& box) {
  for (const float value : {box.left, box.top, box.right, box.bottom}) {
    if (!std::isfinite(value) || std::abs(value) > kMaxCoordinate) return false;
  }
  return true;
}

// U+FB00 to U+FB06 are one glyph in print, but a search looks for several letters.
void SpellOutLigatures(std::string& text) {
  size_t at = text.find("\xEF\xAC");
  while (at != std::string::npos) {
    const auto index =
        at + 2 < text.size() ? static_cast<unsigned char>(text[at + 2]) - 0x80U : 99U;
    if (index < kLigatures.size()) text.replace(at, 3, kLigatures[index]);
    at = text.find("\xEF\xAC", at + 1);
  }
}

bool NormalizeWord(Word& word) {
  if (!IsValidUtf8(word.text)) word.text = NormalizeText(word.text);
  SpellOutLigatures(word.text);
  Box& box = word.box;
  if (!IsSane(box)) return false;
  if (box.left > box.right) std::swap(box.left, box.right);
  if (box.top > box.bottom) std::swap(box.top, box.bottom);
  if (!(word.font_size >= 1)) word.font_size = 1;
  word.font_size = std::min(word.font_size, 1000.0F);
  word.turn &= 3;
  return !word.text.empty() &&
         std::any_of(word.text.begin(), word.text.end(), [](char c) { return c < 0 || c > ' '; });
}

// Returns the box as it lies when the page is turned so that text of this turn runs to the right.
Box TurnedBox(const Box& box, uint8_t turn, float width, float height) {
  switch (turn) {
    case 1:
      return {box.top, width - box.right, box.bottom, width - box.left};
    case 2:
      return {width - box.right, height - box.bottom, width - box.left, height - box.top};
    case 3:
      return {height - box.bottom, box.left, height - box.top, box.right};
    default:
      return box;
  }
}

void TurnUpright(PageWords& page) {
  std::array<size_t, 4> bytes{};
  for (const Word& word : page.words) bytes[word.turn] += word.text.size();
  const auto most =
      static_cast<uint8_t>(std::max_element(bytes.begin(), bytes.end()) - bytes.begin());
  if (most == 0) return;
  for (Word& word : page.words) {
    word.box = TurnedBox(word.box, most, page.width, page.height);
    word.turn = static_cast<uint8_t>((word.turn + 4 - most) & 3);
  }
  if (most != 2) std::swap(page.width, page.height);
}

}  // namespace

void Unite(const Box& other, Box& box) {
  box.left = std::min(box.left, other.left);
  box.top = std::min(box.top, other.top);
  box.right = std::max(box.right, other.right);
  box.bottom = std::max(box.bottom, other.bottom);
}

float VerticalOverlap(const Box& a, const Box& b) {
  const float shared = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float lower = std::min(a.height(), b.height());
  if (shared < 0) return 0;
  return lower <= 0 ? 1 : shared / lower;
}

void NormalizePage(PageWords& page) {
  const auto is_length = [](float value) { return value > 0 && value <= kMaxCoordinate; };
  if (!is_length(page.width)) page.width = 612;  // US letter, as viewers assume
  if (!is_length(page.height)) page.height = 792;
  std::erase_if(page.words, [](Word& word) { return !NormalizeWord(word); });
  TurnUpright(page);
}

}  // namespace tome
