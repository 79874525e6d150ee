#include "tome/documents/readers/flow_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tome/text/unicode.h"

namespace tome {
namespace {

void AppendMark(InlineText& at, int number) {
  const uint64_t begin = at.text.size();
  at.text += fmt::format("[{}]", number);
  at.marks.push_back({.begin = begin, .end = at.text.size()});
}

std::string WithoutMarks(const InlineText& paragraph) {
  std::string text;
  uint64_t begin = 0;
  for (const TextSpan& mark : paragraph.marks) {
    text.append(paragraph.text, begin, mark.begin - begin);
    begin = mark.end;
  }
  return text.append(paragraph.text, begin);
}

uint64_t BoundedRepeat(uint64_t repeat, uint64_t bytes) {
  return std::min(repeat, std::max<uint64_t>(1, kMaxRepeatedBytes / std::max<uint64_t>(bytes, 1)));
}

}  // namespace

bool InlineText::HasText() const { return !CollapseWhiteSpace(NormalizeText(text)).empty(); }

void InlineText::Prepend(std::string_view label) {
  text.insert(0, label);
  for (TextSpan& mark : marks) {
    mark.begin += label.size();
    mark.end += label.size();
  }
}

int FlowWriter::Cite(InlineText& at, std::string_view note) {
  AppendMark(at, ++last_mark_);
  notes_.push_back(fmt::format("[{}] {}", last_mark_, note));
  return last_mark_;
}

void FlowWriter::CiteAgain(InlineText& at, int number) { AppendMark(at, number); }

void FlowWriter::Paragraph(const InlineText& paragraph) { ListItem("", paragraph); }

void FlowWriter::ListItem(std::string_view label, const InlineText& paragraph) {
  if (!paragraph.HasText()) return;
  const std::string text = fmt::format("{}{}", label, paragraph.text);
  if (InTable()) return AppendToCell(CollapseWhiteSpace(NormalizeText(text)));
  if (text.find('\n') == std::string::npos) {
    builder_.Paragraph(text);
  } else {
    builder_.EndBlock();
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      builder_.Line(CollapseWhiteSpace(NormalizeText(text.substr(begin, end - begin))));
      begin = end + 1;
    }
    builder_.EndBlock();
  }
  WriteNotes();
}

void FlowWriter::Heading(int level, const InlineText& heading) {
  if (InTable()) return Paragraph(heading);
  if (heading.marks.empty()) return builder_.Heading(level, heading.text);
  builder_.BeginSection(level, WithoutMarks(heading));
  builder_.Paragraph(heading.text);
  WriteNotes();
}

void FlowWriter::BeginTable() {
  if (!InTable()) builder_.EndBlock();
  tables_.emplace_back();
}

void FlowWriter::AppendToCell(std::string_view collapsed) {
  std::string& cell = tables_.back().cell;
  if (!cell.empty() && !collapsed.empty()) cell += ' ';
  cell += collapsed;
}

void FlowWriter::EndCell(uint64_t repeat) {
  Table& table = tables_.back();
  const std::string cell = std::exchange(table.cell, {});
  const uint64_t room =
      table.cells.size() < kMaxTableColumns ? kMaxTableColumns - table.cells.size() : 1;
  const uint64_t count =
      tables_.size() > 1 ? 1 : std::min(BoundedRepeat(repeat, cell.size()), room);
  table.cells.insert(table.cells.end(), count, cell);
}

void FlowWriter::EndRow(uint64_t repeat) {
  Table& table = tables_.back();
  while (!table.cells.empty() && table.cells.back().empty()) table.cells.pop_back();
  const bool outermost = tables_.size() == 1;
  const std::string row = fmt::format("{}", fmt::join(table.cells, outermost ? " | " : ", "));
  table.cells.clear();
  if (row.empty()) return;
  if (outermost) {
    const uint64_t count = BoundedRepeat(repeat, row.size());
    for (uint64_t i = 0; i < count; ++i) builder_.Line(row);
  } else {
    if (!table.rows.empty()) table.rows += "; ";
    table.rows += row;
  }
}

void FlowWriter::EndTable() {
  const Table table = std::move(tables_.back());
  tables_.pop_back();
  if (InTable()) return AppendToCell(table.rows);
  builder_.EndBlock();
  WriteNotes();
}

void FlowWriter::WriteNotes() {
  for (const std::string& note : std::exchange(notes_, {})) builder_.Paragraph(note);
}

}  // namespace tome
