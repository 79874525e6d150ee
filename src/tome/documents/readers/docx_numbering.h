// DocxNumbering counts the labels of numbered paragraphs in a DOCX ("3.2", "第十五条", "•"). The
// text of a DOCX does not hold them, so they are counted from numbering.xml as Word does.
#pragma once

#include <pugixml.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tome/documents/readers/docx_styles.h"

namespace tome {

// Returns `number` as a w:numFmt writes it: "decimal", "upperRoman", "chineseCounting", … Unknown
// formats, and numbers that a format cannot write, are written in decimal.
std::string FormatListNumber(std::string_view format, int64_t number);

class DocxNumbering {
 public:
  DocxNumbering() = default;  // without numbering.xml: every item gets a bullet

  // `root` is w:numbering; it is not kept.
  explicit DocxNumbering(pugi::xml_node root);

  // Returns the label of the next paragraph at this position, with a space after it. Empty for list
  // "0" and for levels without a label; a bullet for an unknown list. It counts, so call it once
  // for each paragraph, in document order.
  std::string NextLabel(const ListPosition& position);

 private:
  static constexpr int kLevels = 9;
  struct Level {
    std::string format = "bullet";
    std::string text;  // "%1.%2": the numbers of the first and second level
    int start = 1;
  };
  struct List {
    std::array<Level, kLevels> levels;
    std::string counters;                 // w:abstractNumId; lists with the same one share counters
    std::array<int, kLevels> restart_at;  // w:startOverride, applied at first use; -1: not set
  };
  struct Counters {
    std::array<int64_t, kLevels> values{};
    std::array<bool, kLevels> counting{};
  };

  static void ReadLevel(pugi::xml_node node, Level& level);

  std::unordered_map<std::string, List> lists_;         // by w:numId
  std::unordered_map<std::string, Counters> counters_;  // by w:abstractNumId
};

}  // namespace tome
