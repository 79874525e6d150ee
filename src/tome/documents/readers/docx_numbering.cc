#include "tome/documents/readers/docx_numbering.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

constexpr std::string_view kBullet = "• ";
constexpr int kMaxStart = 1'000'000;
// Limits the lists that are kept (each takes a KiB). Items of any more get a bullet. Word stops at
// 2047.
constexpr size_t kMaxLists = 20'000;
// Limits the numbers that are written in letters. A larger number would take more than eight
// letters.
constexpr int64_t kMaxLetterNumber = 208;
// A label text longer than this is not taken for a label.
constexpr size_t kMaxLabelBytes = 200;

std::string Roman(int64_t number) {
  static constexpr std::pair<int, std::string_view> digits[] = {
      {1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
      {40, "XL"},  {10, "X"},   {9, "IX"},  {5, "V"},    {4, "IV"},  {1, "I"}};
  std::string text;
  for (const auto& [value, sign] : digits) {
    for (; number >= value; number -= value) text += sign;
  }
  return text;
}

// Returns A to Z, then AA, BB, …, as Word counts.
std::string LetterNumber(int64_t number) {
  const int64_t index = number - 1;
  return std::string(static_cast<size_t>(index / 26 + 1), static_cast<char>('A' + index % 26));
}

struct ChineseDigits {
  std::array<std::string_view, 10> digits;
  std::array<std::string_view, 4> units;
};
constexpr ChineseDigits kCommon{{"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"},
                                {"", "十", "百", "千"}};
constexpr ChineseDigits kLegal{{"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"},
                               {"", "拾", "佰", "仟"}};

// Writes 1 to 9999: 十五, 一百零三, 二千三百.
std::string ChineseNumber(int64_t number, const ChineseDigits& characters) {
  std::string text;
  bool zero = false;
  int64_t unit_value = 1000;
  for (size_t unit = 4; unit-- > 0; unit_value /= 10) {
    const auto digit = static_cast<size_t>(number / unit_value % 10);
    if (digit == 0) {
      zero = !text.empty();
      continue;
    }
    if (zero) text += characters.digits[0];
    zero = false;
    const bool bare_ten = unit == 1 && text.empty() && digit == 1 && &characters == &kCommon;
    if (!bare_ten) text += characters.digits[digit];
    text += characters.units[unit];
  }
  return text;
}

template <size_t size>
std::string Nth(const std::array<std::string_view, size>& signs, int64_t number) {
  return std::string(signs[static_cast<size_t>(number - 1)]);
}
constexpr std::array<std::string_view, 10> kStems{"甲", "乙", "丙", "丁", "戊",
                                                  "己", "庚", "辛", "壬", "癸"};
constexpr std::array<std::string_view, 12> kBranches{"子", "丑", "寅", "卯", "辰", "巳",
                                                     "午", "未", "申", "酉", "戌", "亥"};
constexpr std::array<std::string_view, 10> kCircled{"①", "②", "③", "④", "⑤",
                                                    "⑥", "⑦", "⑧", "⑨", "⑩"};

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool IsChineseCounting(std::string_view format) {
  return format.starts_with("chineseCounting") || format.starts_with("taiwaneseCounting") ||
         format == "japaneseCounting" || format == "ideographDigital";
}

}  // namespace

std::string FormatListNumber(std::string_view format, int64_t number) {
  if (number >= 1 && number < 4000 && format == "upperRoman") return Roman(number);
  if (number >= 1 && number < 4000 && format == "lowerRoman") return Lower(Roman(number));
  if (number >= 1 && number <= kMaxLetterNumber && format == "upperLetter")
    return LetterNumber(number);
  if (number >= 1 && number <= kMaxLetterNumber && format == "lowerLetter")
    return Lower(LetterNumber(number));
  if (number >= 1 && number <= 9999 && IsChineseCounting(format)) {
    return ChineseNumber(number, kCommon);
  }
  if (number >= 1 && number <= 9999 && format == "chineseLegalSimplified") {
    return ChineseNumber(number, kLegal);
  }
  if (number >= 1 && number <= 10 && format == "ideographTraditional") return Nth(kStems, number);
  if (number >= 1 && number <= 12 && format == "ideographZodiac") return Nth(kBranches, number);
  if (number >= 1 && number <= 10 && format.starts_with("decimalEnclosedCircle")) {
    return Nth(kCircled, number);
  }
  if (format == "decimalZero") return fmt::format("{:02}", number);
  return std::to_string(number);
}

void DocxNumbering::ReadLevel(pugi::xml_node node, Level& level) {
  level.format = Attribute(Child(node, "numFmt"), "val");
  level.text = Attribute(Child(node, "lvlText"), "val");
  if (level.text.size() > kMaxLabelBytes) level.text.clear();
  level.start = ParseInt(Attribute(Child(node, "start"), "val"), 0, kMaxStart, 1);
}

DocxNumbering::DocxNumbering(pugi::xml_node root) {
  std::unordered_map<std::string, std::array<Level, kLevels>> abstracts;
  for (const pugi::xml_node node : root) {
    if (LocalName(node) != "abstractNum" || abstracts.size() >= kMaxLists) continue;
    auto& levels = abstracts[std::string(Attribute(node, "abstractNumId"))];
    for (const pugi::xml_node child : node) {
      if (LocalName(child) != "lvl") continue;
      const int index = ParseInt(Attribute(child, "ilvl"), 0, kLevels - 1, 0);
      ReadLevel(child, levels[static_cast<size_t>(index)]);
    }
  }
  for (const pugi::xml_node node : root) {
    if (LocalName(node) != "num" || lists_.size() >= kMaxLists) continue;
    const std::string abstract(Attribute(Child(node, "abstractNumId"), "val"));
    const auto levels = abstracts.find(abstract);
    if (levels == abstracts.end()) continue;
    List& list = lists_[std::string(Attribute(node, "numId"))];
    list.counters = abstract;
    list.levels = levels->second;
    list.restart_at.fill(-1);
    for (const pugi::xml_node child : node) {
      if (LocalName(child) != "lvlOverride") continue;
      const auto index = static_cast<size_t>(ParseInt(Attribute(child, "ilvl"), 0, kLevels - 1, 0));
      if (const pugi::xml_node level = Child(child, "lvl")) ReadLevel(level, list.levels[index]);
      list.restart_at[index] =
          ParseInt(Attribute(Child(child, "startOverride"), "val"), 0, kMaxStart, -1);
    }
  }
}

std::string DocxNumbering::NextLabel(const ListPosition& position) {
  if (position.list_id == "0") return {};
  const auto found = lists_.find(position.list_id);
  if (found == lists_.end()) return std::string(kBullet);
  List& list = found->second;
  Counters& counters = counters_[list.counters];
  const auto at = static_cast<size_t>(position.level);
  const Level& level = list.levels[at];

  if (!counters.counting[at]) counters.values[at] = level.start - 1;
  counters.counting[at] = true;
  if (const int restart = std::exchange(list.restart_at[at], -1); restart >= 0) {
    counters.values[at] = restart - 1;
  }
  ++counters.values[at];
  std::fill(counters.counting.begin() + static_cast<ptrdiff_t>(at) + 1, counters.counting.end(),
            false);

  if (level.format == "bullet") return std::string(kBullet);
  if (level.format == "none") return {};
  std::string label;
  for (size_t i = 0; i < level.text.size(); ++i) {
    const char digit = level.text[i] == '%' && i + 1 < level.text.size() ? level.text[i + 1] : ' ';
    if (digit < '1' || digit > '9') {
      label += level.text[i];
      continue;
    }
    const auto of = static_cast<size_t>(digit - '1');
    const int64_t number = counters.counting[of] ? counters.values[of] : list.levels[of].start;
    label += FormatListNumber(list.levels[of].format, number);
    ++i;
  }
  return label.empty() ? label : label + ' ';
}

}  // namespace tome
