#include "tome/documents/document_codec.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

#include "tome/base/error.h"
#include "tome/documents/advice_json.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

using nlohmann::json;

constexpr std::string_view kMagic = "TOMEDOC1";
constexpr size_t kLengthBytes = 8;

json NotesOf(const Document& document) {
  json notes = json::array();
  for (const Note& note : document.notes) {
    notes.push_back(json::array({note.text, AdviceToJson(note.advice)}));
  }
  return notes;
}

json HeaderOf(const Document& document) {
  json pages = json::array();
  for (const Page& page : document.pages) {
    pages.push_back(json::array({page.span.begin, page.span.end, page.label}));
  }
  json sections = json::array();
  for (const Section& section : document.sections) {
    sections.push_back(json::array(
        {section.title, section.level, section.parent, section.span.begin, section.span.end}));
  }
  return {{"format", document.format},
          {"encoding", document.encoding},
          {"title", document.title},
          {"line_breaks", document.line_breaks == LineBreaks::kSoft ? "soft" : "hard"},
          {"pages", std::move(pages)},
          {"sections", std::move(sections)},
          {"notes", NotesOf(document)},
          {"text_bytes", document.text.size()}};
}

// nlohmann would also convert a fraction, `true` or a number out of range to an integer.
uint64_t OffsetOf(const json& value) {
  if (!value.is_number_unsigned()) {
    throw Error(Code::kCorrupt, "the reader's answer has an offset that is no number of bytes");
  }
  return value.get<uint64_t>();
}

template <typename Integer>
Integer IntegerOf(const json& value) {
  if (!value.is_number_integer() || !std::in_range<Integer>(value.get<int64_t>()) ||
      (value.is_number_unsigned() && !std::in_range<Integer>(value.get<uint64_t>()))) {
    throw Error(Code::kCorrupt, "the reader's answer has a level or parent out of range");
  }
  return static_cast<Integer>(value.get<int64_t>());
}

LineBreaks LineBreaksOf(const json& value) {
  if (value == "soft") return LineBreaks::kSoft;
  if (value == "hard") return LineBreaks::kHard;
  throw Error(Code::kCorrupt, "the reader's answer has line breaks that are neither soft nor hard");
}

void ReadHeader(const json& header, Document& document) {
  header.at("format").get_to(document.format);
  header.at("encoding").get_to(document.encoding);
  header.at("title").get_to(document.title);
  document.line_breaks = LineBreaksOf(header.at("line_breaks"));
  const json& notes = header.at("notes");
  const json& pages = header.at("pages");
  const json& sections = header.at("sections");
  if (pages.size() > kMaxPages || sections.size() > kMaxSections || notes.size() > kMaxNotes) {
    throw Error(Code::kCorrupt, "more pages, sections or notes than a document may have");
  }
  for (const json& note : notes) {
    document.notes.emplace_back(note.at(0).get<std::string>(), AdviceFromJson(note.at(1)));
  }
  for (const json& page : pages) {
    document.pages.push_back({.span = {.begin = OffsetOf(page.at(0)), .end = OffsetOf(page.at(1))},
                              .label = page.at(2).get<std::string>()});
  }
  for (const json& section : sections) {
    document.sections.push_back(
        {.title = section.at(0).get<std::string>(),
         .level = IntegerOf<int>(section.at(1)),
         .parent = IntegerOf<int64_t>(section.at(2)),
         .span = {.begin = OffsetOf(section.at(3)), .end = OffsetOf(section.at(4))}});
  }
}

}  // namespace

std::string EncodeDocument(const Document& document) {
  const std::string header = HeaderOf(document).dump();
  std::string bytes;
  bytes.reserve(kMagic.size() + kLengthBytes + header.size() + document.text.size());
  bytes += kMagic;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    bytes += static_cast<char>((header.size() >> (8 * i)) & 0xFF);
  }
  bytes += header;
  bytes += document.text;
  return bytes;
}

Document DecodeDocument(std::string_view bytes) {
  constexpr size_t kFixedBytes = kMagic.size() + kLengthBytes;
  if (!bytes.starts_with(kMagic) || bytes.size() < kFixedBytes) {
    throw Error(Code::kCorrupt, "the reader's answer is no document");
  }
  uint64_t header_bytes = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    header_bytes |= uint64_t{static_cast<unsigned char>(bytes[kMagic.size() + i])} << (8 * i);
  }
  if (header_bytes > bytes.size() - kFixedBytes) {
    throw Error(Code::kCorrupt, "the reader's answer is cut short");
  }
  Document document;
  const std::string_view text = bytes.substr(kFixedBytes + header_bytes);
  try {
    const json header = json::parse(bytes.substr(kFixedBytes, header_bytes));
    ReadHeader(header, document);
    if (OffsetOf(header.at("text_bytes")) != text.size() || text.size() > kMaxTextBytes) {
      throw Error(Code::kCorrupt, "the reader's answer has a text of the wrong size");
    }
  } catch (const json::exception& error) {
    throw Error(Code::kCorrupt, fmt::format("the reader's answer is malformed: {}", error.what()));
  }
  document.text = text;
  CheckDocument(document);
  return document;
}

}  // namespace tome
