// FlowWriter writes the elements of a word processor's body (paragraphs, list items, tables, notes)
// into a DocumentBuilder, in the same way for DOCX and ODT:
//
//   a paragraph with line breaks  one block of lines
//   a list item                   a block that begins with the label: "• milk"
//   a table                       one block with a line for each row and cells joined with " | ";
//                                 trailing empty cells and rows without text are left out
//   a table inside a cell         text of that cell: its cells joined with ", ", its rows with "; "
//   a note                        the mark "[1]" where it is cited, and "[1] text" as a block after
//                                 the paragraph or table that cites it
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tome/documents/document_builder.h"

namespace tome {

// InlineText is the text of one paragraph while it is read.
struct InlineText {
  std::string text;             // '\n' where the format breaks the line
  std::vector<TextSpan> marks;  // where in `text` the marks of notes stand

  bool HasText() const;
  void Prepend(std::string_view label);
};

class FlowWriter {
 public:
  // `builder` must outlive this object.
  explicit FlowWriter(DocumentBuilder& builder) : builder_(builder) {}

  // Appends the next mark to `at` and keeps `note` until the block is written. Returns the mark's
  // number.
  int Cite(InlineText& at, std::string_view note);
  // Appends the mark of a note that was cited before.
  static void CiteAgain(InlineText& at, int number);

  // Write blocks. Inside a table, these become text of the open cell.
  void Paragraph(const InlineText& paragraph);
  void ListItem(std::string_view label, const InlineText& paragraph);
  // The section's title leaves out the marks of notes.
  void Heading(int level, const InlineText& heading);

  void BeginTable();
  // `repeat` comes from the file and may be any number. Repeated cells fill at most
  // kMaxTableColumns. Text is repeated up to kMaxRepeatedBytes, and not at all in a table inside a
  // cell. Rows without text are dropped.
  void EndCell(uint64_t repeat = 1);
  void EndRow(uint64_t repeat = 1);
  void EndTable();

 private:
  struct Table {
    std::vector<std::string> cells;  // of the open row
    std::string cell;                // text of the open cell
    std::string rows;  // of a table inside a cell; rows of other tables are written at once
  };

  bool InTable() const { return !tables_.empty(); }
  void AppendToCell(std::string_view collapsed);
  void WriteNotes();

  DocumentBuilder& builder_;
  std::vector<Table> tables_;       // open tables, outermost first
  std::vector<std::string> notes_;  // notes that are cited and not yet written
  int last_mark_ = 0;
};

// Limits the bytes of text that one repeated cell or row of a table adds.
inline constexpr uint64_t kMaxRepeatedBytes = uint64_t{64} << 10;
// Limits the columns of a row that repeated cells may fill.
inline constexpr uint64_t kMaxTableColumns = 1024;

}  // namespace tome
