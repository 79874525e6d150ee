#include "tome/store/sqlite_documents.h"

#include <fmt/format.h>

#include <algorithm>

#include "tome/base/error.h"
#include "tome/base/utc_time.h"
#include "tome/store/sqlite_text.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr std::string_view kRecordColumns =
    "SELECT id, lower(hex(hash)), format, encoding, title, soft_line_breaks, file_bytes, "
    "text_bytes, characters, page_count, first_passage, last_passage, tokens, added_at, notes "
    "FROM documents ";
constexpr std::string_view kSectionColumns =
    "SELECT title, level, parent, begin_byte, end_byte FROM sections WHERE document = ?1 ";

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Joins the texts of notes without their advice, which is only for the user who adds the document.
std::string JoinTexts(const std::vector<Note>& notes) {
  std::string lines;
  for (const Note& note : notes) lines += (lines.empty() ? "" : "\n") + note.text;
  return lines;
}

DocumentRecord RecordOf(const Statement& row) {
  return {.id = row.Int(0),
          .hash = std::string(row.Text(1)),
          .format = std::string(row.Text(2)),
          .encoding = std::string(row.Text(3)),
          .title = std::string(row.Text(4)),
          .line_breaks = row.Int(5) != 0 ? LineBreaks::kSoft : LineBreaks::kHard,
          .file_bytes = static_cast<uint64_t>(row.Int(6)),
          .text_bytes = static_cast<uint64_t>(row.Int(7)),
          .characters = static_cast<uint64_t>(row.Int(8)),
          .pages = static_cast<uint64_t>(row.Int(9)),
          .passages = {.first = row.Int(10), .last = row.Int(11)},
          .tokens = static_cast<uint64_t>(row.Int(12)),
          .added_at = std::string(row.Text(13)),
          .notes = SplitLines(row.Text(14)),
          .paths = {}};
}

TextSpan SpanOf(const Statement& row, int column) {
  return {.begin = static_cast<uint64_t>(row.Int(column)),
          .end = static_cast<uint64_t>(row.Int(column + 1))};
}

std::vector<Section> SectionsOf(Statement& select) {
  std::vector<Section> sections;
  while (select.Step()) {
    sections.push_back({.title = std::string(select.Text(0)),
                        .level = static_cast<int>(select.Int(1)),
                        .parent = select.Int(2),
                        .span = SpanOf(select, 3)});
  }
  return sections;
}

}  // namespace

std::vector<std::string> SqliteDocuments::PathsOf(DocumentId id) {
  Statement select = database_.Prepare("SELECT path FROM files WHERE document = ?1 ORDER BY path");
  select.Bind(1, id);
  std::vector<std::string> paths;
  while (select.Step()) paths.emplace_back(select.Text(0));
  return paths;
}

std::vector<DocumentRecord> SqliteDocuments::List() {
  std::vector<DocumentRecord> records;
  Statement select = database_.Prepare(fmt::format("{} ORDER BY id", kRecordColumns));
  while (select.Step()) records.push_back(RecordOf(select));
  for (DocumentRecord& record : records) record.paths = PathsOf(record.id);
  return records;
}

std::optional<DocumentRecord> SqliteDocuments::Find(DocumentId id) {
  Statement select = database_.Prepare(fmt::format("{} WHERE id = ?1", kRecordColumns));
  if (!select.Bind(1, id).Step()) return std::nullopt;
  DocumentRecord record = RecordOf(select);
  record.paths = PathsOf(id);
  return record;
}

std::optional<DocumentId> SqliteDocuments::FindByFile(const std::string& path,
                                                      const FileStamp& stamp,
                                                      const Reading& reading) {
  Statement select = database_.Prepare(
      "SELECT d.id FROM files f JOIN documents d ON d.id = f.document "
      "WHERE f.path = ?1 AND f.size = ?2 AND f.mtime_ns = ?3 AND f.ctime_ns = ?4 AND f.inode = ?5 "
      "AND f.device = ?6 AND d.reader = ?7 AND (?8 = '' OR d.settings = ?8)");
  select.Bind(1, std::string_view(path))
      .Bind(2, static_cast<int64_t>(stamp.size))
      .Bind(3, stamp.mtime_ns)
      .Bind(4, stamp.ctime_ns)
      .Bind(5, static_cast<int64_t>(stamp.inode))
      .Bind(6, static_cast<int64_t>(stamp.device))
      .Bind(7, reading.reader)
      .Bind(8, reading.settings);
  if (!select.Step()) return std::nullopt;
  return select.Int(0);
}

std::optional<DocumentId> SqliteDocuments::FindByContent(std::string_view hash,
                                                         const Reading& reading) {
  Statement select = database_.Prepare(
      "SELECT id FROM documents WHERE hash = ?1 AND reader = ?2 AND (?3 = '' OR settings = ?3) "
      "ORDER BY settings, id LIMIT 1");
  select.BindBlob(1, hash).Bind(2, reading.reader).Bind(3, reading.settings);
  if (!select.Step()) return std::nullopt;
  return select.Int(0);
}

DocumentRecord SqliteDocuments::Insert(const NewDocument& added) {
  TOME_CHECK(!added.passages.empty());
  const int64_t first = database_.QueryInt("SELECT ifnull(max(id), 0) + 1 FROM passages");
  const int64_t last = first + static_cast<int64_t>(added.passages.size()) - 1;
  const DocumentId id = InsertRow(added, {.first = first, .last = last});
  WriteStoredText(database_, id, added.document.text);
  InsertSections(id, added.document.sections);
  InsertPages(id, added.document.pages);
  InsertPassages(id, first, added.passages);
  return Read(id);
}

DocumentId SqliteDocuments::InsertRow(const NewDocument& added, const PassageRange& passages) {
  const Document& document = added.document;
  int64_t tokens = 0;
  for (const Passage& passage : added.passages) tokens += passage.tokens;
  const std::string added_at = UtcNow();
  const std::string notes = JoinTexts(document.notes);
  database_
      .Prepare(
          "INSERT INTO documents VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
          "?13, ?14, ?15, ?16)")
      .BindBlob(1, added.hash)
      .Bind(2, added.reading.reader)
      .Bind(3, added.reading.settings)
      .Bind(4, std::string_view(document.format))
      .Bind(5, std::string_view(document.encoding))
      .Bind(6, std::string_view(document.title))
      .Bind(7, int64_t{document.line_breaks == LineBreaks::kSoft})
      .Bind(8, static_cast<int64_t>(added.file_bytes))
      .Bind(9, static_cast<int64_t>(document.text.size()))
      .Bind(10, static_cast<int64_t>(CountCodePoints(document.text)))
      .Bind(11, static_cast<int64_t>(document.pages.size()))
      .Bind(12, passages.first)
      .Bind(13, passages.last)
      .Bind(14, tokens)
      .Bind(15, std::string_view(added_at))
      .Bind(16, std::string_view(notes))
      .Run();
  return database_.LastInsertId();
}

void SqliteDocuments::InsertSections(DocumentId id, std::span<const Section> sections) {
  Statement insert = database_.Prepare("INSERT INTO sections VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  int64_t ordinal = 0;
  for (const Section& section : sections) {
    insert.Bind(1, id)
        .Bind(2, ordinal++)
        .Bind(3, std::string_view(section.title))
        .Bind(4, int64_t{section.level})
        .Bind(5, section.parent)
        .Bind(6, static_cast<int64_t>(section.span.begin))
        .Bind(7, static_cast<int64_t>(section.span.end))
        .Run();
  }
}

void SqliteDocuments::InsertPages(DocumentId id, std::span<const Page> pages) {
  Statement insert = database_.Prepare("INSERT INTO pages VALUES(?1, ?2, ?3, ?4, ?5)");
  int64_t number = 0;
  for (const Page& page : pages) {
    insert.Bind(1, id)
        .Bind(2, ++number)
        .Bind(3, static_cast<int64_t>(page.span.begin))
        .Bind(4, static_cast<int64_t>(page.span.end))
        .Bind(5, std::string_view(page.label))
        .Run();
  }
}

void SqliteDocuments::InsertPassages(DocumentId id, PassageId first,
                                     std::span<const Passage> passages) {
  Statement insert = database_.Prepare("INSERT INTO passages VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  for (const Passage& passage : passages) {
    insert.Bind(1, first++)
        .Bind(2, id)
        .Bind(3, static_cast<int64_t>(passage.span.begin))
        .Bind(4, static_cast<int64_t>(passage.span.end))
        .Bind(5, passage.section)
        .Bind(6, int64_t{passage.tokens})
        .Run();
  }
}

void SqliteDocuments::Remove(DocumentId id) {
  for (const std::string_view table :
       {"files", "texts", "sections", "pages", "passages", "windows", "survey_notes"}) {
    database_.Prepare(fmt::format("DELETE FROM {} WHERE document = ?1", table)).Bind(1, id).Run();
  }
  database_.Prepare("DELETE FROM documents WHERE id = ?1").Bind(1, id).Run();
}

std::optional<DocumentId> SqliteDocuments::FindByPath(const std::string& path) {
  Statement select = database_.Prepare("SELECT document FROM files WHERE path = ?1");
  if (!select.Bind(1, std::string_view(path)).Step()) return std::nullopt;
  return select.Int(0);
}

std::optional<DocumentId> SqliteDocuments::LinkFile(const std::string& path, DocumentId id,
                                                    const FileStamp& stamp) {
  const std::optional<DocumentId> before = FindByPath(path);
  database_.Prepare("INSERT OR REPLACE INTO files VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")
      .Bind(1, std::string_view(path))
      .Bind(2, id)
      .Bind(3, static_cast<int64_t>(stamp.size))
      .Bind(4, stamp.mtime_ns)
      .Bind(5, stamp.ctime_ns)
      .Bind(6, static_cast<int64_t>(stamp.inode))
      .Bind(7, static_cast<int64_t>(stamp.device))
      .Run();
  return before;
}

std::optional<DocumentId> SqliteDocuments::UnlinkFile(const std::string& path) {
  const std::optional<DocumentId> before = FindByPath(path);
  database_.Prepare("DELETE FROM files WHERE path = ?1").Bind(1, std::string_view(path)).Run();
  return before;
}

std::string SqliteDocuments::Text(DocumentId id, const TextSpan& span) {
  return ReadStoredText(database_, id, span);
}

std::vector<Section> SqliteDocuments::Sections(DocumentId id) {
  Statement select = database_.Prepare(fmt::format("{} ORDER BY ordinal", kSectionColumns));
  select.Bind(1, id);
  return SectionsOf(select);
}

std::vector<Section> SqliteDocuments::SectionsBeginningIn(DocumentId id, const TextSpan& span) {
  Statement select = database_.Prepare(fmt::format(
      "{} AND begin_byte >= ?2 AND begin_byte < ?3 ORDER BY begin_byte, ordinal", kSectionColumns));
  select.Bind(1, id)
      .Bind(2, static_cast<int64_t>(span.begin))
      .Bind(3, static_cast<int64_t>(span.end));
  return SectionsOf(select);
}

std::string SqliteDocuments::SectionPath(DocumentId id, int64_t section) {
  Statement select =
      database_.Prepare("SELECT title, parent FROM sections WHERE document = ?1 AND ordinal = ?2");
  std::string path;
  while (section != kNoParent && select.Bind(1, id).Bind(2, section).Step()) {
    path =
        path.empty() ? std::string(select.Text(0)) : fmt::format("{} > {}", select.Text(0), path);
    const int64_t parent = select.Int(1);
    // A parent stands before its sections. A damaged table must not lead around in a circle.
    section = parent < section ? parent : kNoParent;
    select.Reset();
  }
  return path;
}

std::vector<Page> SqliteDocuments::Pages(DocumentId id) {
  Statement select = database_.Prepare(
      "SELECT begin_byte, end_byte, label FROM pages WHERE document = ?1 ORDER BY number");
  select.Bind(1, id);
  std::vector<Page> pages;
  while (select.Step()) {
    pages.push_back({.span = SpanOf(select, 0), .label = std::string(select.Text(2))});
  }
  return pages;
}

std::optional<PageRecord> SqliteDocuments::PageOf(DocumentId id, uint64_t offset) {
  Statement select = database_.Prepare(
      "SELECT number, label FROM pages WHERE document = ?1 AND begin_byte <= ?2 "
      "ORDER BY begin_byte DESC, number DESC LIMIT 1");
  select.Bind(1, id).Bind(2, static_cast<int64_t>(offset));
  if (!select.Step()) return std::nullopt;
  return PageRecord{.number = select.Int(0), .label = std::string(select.Text(1))};
}

PassageRange SqliteDocuments::AllPassages() {
  return {.first = 1, .last = database_.QueryInt("SELECT ifnull(max(id), 0) FROM passages")};
}

std::vector<Passage> SqliteDocuments::PassagesOf(const DocumentRecord& document) {
  Statement select = database_.Prepare(
      "SELECT begin_byte, end_byte, section, tokens FROM passages WHERE id BETWEEN ?1 AND ?2 "
      "ORDER BY id");
  select.Bind(1, document.passages.first).Bind(2, document.passages.last);
  std::vector<Passage> passages;
  while (select.Step()) {
    passages.push_back({.span = SpanOf(select, 0),
                        .section = select.Int(2),
                        .page = 0,
                        .tokens = static_cast<uint32_t>(select.Int(3))});
  }
  return passages;
}

std::vector<StoredPassage> SqliteDocuments::ReadPassages(std::span<const PassageId> ids) {
  Statement select = database_.Prepare(
      "SELECT document, begin_byte, end_byte, section, tokens FROM passages WHERE id = ?1");
  std::vector<StoredPassage> passages;
  passages.reserve(ids.size());
  for (const PassageId id : ids) {
    if (!select.Bind(1, id).Step()) {
      throw Error(Code::kCorrupt, fmt::format("{}: passage {} is indexed and not stored; remove "
                                              "its document and add it again",
                                              database_.path(), id));
    }
    passages.push_back({.id = id,
                        .document = select.Int(0),
                        .span = SpanOf(select, 1),
                        .section = select.Int(3),
                        .tokens = static_cast<uint32_t>(select.Int(4))});
    select.Reset();
  }
  return passages;
}

}  // namespace tome
