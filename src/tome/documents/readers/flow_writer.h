// Writes what a word processor's body is made of (paragraphs, list items, tables, notes) into a
// DocumentBuilder, the same way for DOCX and ODT:
//
//   a paragraph with line breaks  one block of lines
//   a list item                   a block, its label before it: "• milk"
//   a table                       one block, a line a row, cells joined with " | "; trailing empty
//                                 cells and rows without text left out
//   a table inside a cell         text of that cell: its cells joined with ", ", its rows with "; "
//   a note                        the mark "[1]" where it is cited; "[1] text" as a block after the
//                                 paragraph or table that cites it
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tome/documents/document_builder.h"

namespace tome {

// The text of one paragraph while it is read.
struct InlineText {
  std::string text;             // '\n' where the format breaks the line
  std::vector<TextSpan> marks;  // where in `text` the marks of notes stand

  bool HasText() const;
  void Prepend(std::string_view label);
};

class FlowWriter {
 public:
  // `builder` outlives this object.
  explicit FlowWriter(DocumentBuilder& builder) : builder_(builder) {}

  // Appends the next mark to `at` and keeps `note` until the block is written. Gives its number.
  int Cite(InlineText& at, std::string_view note);
  // Appends the mark of a note that was cited before.
  static void CiteAgain(InlineText& at, int number);

  // Blocks; inside a table they become text of the open cell.
  void Paragraph(const InlineText& paragraph);
  void ListItem(std::string_view label, const InlineText& paragraph);
  // The section's title leaves out the marks of notes.
  void Heading(int level, const InlineText& heading);

  void BeginTable();
  // `repeat` comes from the file and may be any number: what is repeated without text costs
  // nothing, and text is repeated up to kMaxRepeatedBytes, in a table inside a cell not at all.
  void EndCell(uint64_t repeat = 1);
  void EndRow(uint64_t repeat = 1);
  void EndTable();

 private:
  struct Table {
    std::vector<std::string> cells;  // of the open row
    std::string cell;                // the open one
    std::string rows;                // of a table inside a cell; others are written at once
  };

  bool InTable() const { return !tables_.empty(); }
  void AppendToCell(std::string_view collapsed);
  void WriteNotes();

  DocumentBuilder& builder_;
  std::vector<Table> tables_;       // open ones, outermost first
  std::vector<std::string> notes_;  // cited, not yet written
  int last_mark_ = 0;
};

// Most bytes of text that one repeated cell or row of a table adds.
inline constexpr uint64_t kMaxRepeatedBytes = uint64_t{64} << 10;
// Most columns of a row that repeated cells may fill.
inline constexpr uint64_t kMaxTableColumns = 1024;

}  // namespace tome
