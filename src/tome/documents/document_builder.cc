#include "tome/documents/document_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/limits.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// A section's title is a label and is cut at this size. A longer heading is still whole in the
// text.
constexpr size_t kMaxTitleBytes = 1000;

std::string OneLine(std::string_view text) {
  std::string line = CollapseWhiteSpace(NormalizeText(text));
  if (line.size() > kMaxTitleBytes) line.resize(FloorToCodePoint(line, kMaxTitleBytes));
  return line;
}

std::string_view TrimRight(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

DocumentBuilder::DocumentBuilder(std::string_view format) { document_.format = format; }

void DocumentBuilder::SetTitle(std::string_view title) { document_.title = OneLine(title); }

void DocumentBuilder::SetEncoding(std::string_view encoding) { document_.encoding = encoding; }

void DocumentBuilder::AddNote(const Note& note) {
  if (document_.notes.size() < kMaxNotes) {
    document_.notes.emplace_back(OneLine(note.text), note.advice);
  }
}

void DocumentBuilder::Append(std::string_view normalized) {
  if (normalized.size() > kMaxTextBytes - document_.text.size()) {
    throw Error(Code::kOutOfMemory,
                fmt::format("the text is larger than the limit of {} MiB; split the document",
                            kMaxTextBytes >> 20));
  }
  document_.text.append(normalized);
}

void DocumentBuilder::StartBlock() {
  in_lines_ = false;
  if (!document_.text.empty()) Append("\n\n");
  PlacePending();
}

void DocumentBuilder::PlacePending() {
  // The outermost open section without text begins here, and so do all sections after it, closed or
  // not.
  const auto outermost =
      std::lower_bound(open_sections_.begin(), open_sections_.end(), first_pending_section_);
  if (outermost != open_sections_.end()) {
    for (auto i = static_cast<size_t>(*outermost); i < document_.sections.size(); ++i) {
      document_.sections[i].span = {.begin = size(), .end = size()};
    }
  }
  first_pending_section_ = static_cast<int64_t>(document_.sections.size());
  PlacePage();
}

void DocumentBuilder::PlacePage() {
  if (!page_pending_) return;
  page_pending_ = false;
  document_.pages.push_back(
      {.span = {.begin = size(), .end = size()}, .label = std::exchange(page_label_, {})});
}

void DocumentBuilder::CloseSections(int level, uint64_t end) {
  while (!open_sections_.empty()) {
    Section& section = document_.sections[static_cast<size_t>(open_sections_.back())];
    if (section.level < level) return;
    section.span.end = end;
    open_sections_.pop_back();
  }
}

void DocumentBuilder::BeginSection(int level, std::string_view title) {
  std::string line = OneLine(title);
  if (line.empty()) return;
  if (document_.sections.size() >= kMaxSections) {
    throw Error(Code::kUnsupported, fmt::format("more than {} sections", kMaxSections));
  }
  level = level < 1 ? 1 : level;
  EndBlock();
  CloseSections(level, size());
  document_.sections.push_back(
      {.title = std::move(line),
       .level = level,
       .parent = open_sections_.empty() ? kNoParent : open_sections_.back(),
       .span = {.begin = size(), .end = size()}});
  open_sections_.push_back(static_cast<int64_t>(document_.sections.size()) - 1);
}

void DocumentBuilder::Heading(int level, std::string_view title) {
  const std::string line = CollapseWhiteSpace(NormalizeText(title));
  if (line.empty()) return;
  BeginSection(level, line);
  StartBlock();
  Append(line);
}

void DocumentBuilder::Paragraph(std::string_view text) {
  const std::string line = CollapseWhiteSpace(NormalizeText(text));
  EndBlock();
  if (line.empty()) return;
  StartBlock();
  Append(line);
}

void DocumentBuilder::Line(std::string_view text) {
  std::string normalized = NormalizeText(text);
  for (char& c : normalized) {
    if (c == '\n') c = ' ';
  }
  const std::string_view line = TrimRight(normalized);
  if (line.empty()) return;  // an empty line would read as the end of the block
  if (in_lines_) {
    Append("\n");
  } else {
    StartBlock();
    in_lines_ = true;
  }
  Append(line);
}

void DocumentBuilder::EndBlock() { in_lines_ = false; }

void DocumentBuilder::BeginPage(std::string_view label) {
  EndBlock();
  if (document_.pages.empty() && !page_pending_ && size() > 0) {
    document_.pages.push_back({.span = {.begin = 0, .end = size()}, .label = {}});
  }
  PlacePage();  // a page without text still counts, with an empty span
  if (!document_.pages.empty()) document_.pages.back().span.end = size();
  if (document_.pages.size() >= kMaxPages) {
    throw Error(Code::kUnsupported, fmt::format("more than {} pages", kMaxPages));
  }
  page_pending_ = true;
  page_label_ = OneLine(label);
}

void DocumentBuilder::ContinueParagraph(std::string_view text, std::string_view joint) {
  const std::string line = CollapseWhiteSpace(NormalizeText(text));
  if (line.empty()) return;
  if (size() == 0) return Paragraph(line);
  in_lines_ = false;
  Append(joint);
  PlacePending();
  Append(line);
}

Document DocumentBuilder::Finish() && {
  PlacePage();
  CloseSections(0, size());
  if (!document_.pages.empty()) document_.pages.back().span.end = size();
  return std::move(document_);
}

}  // namespace tome
