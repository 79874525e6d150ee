// The functions of Library that change nothing.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tome/base/error.h"
#include "tome/library/library.h"
#include "tome/library/stored_text.h"

namespace tome {
namespace {

constexpr std::string_view kRecordColumns =
    "SELECT id, lower(hex(hash)), format, encoding, title, soft_line_breaks, file_bytes, "
    "text_bytes, "
    "characters, page_count, first_passage, last_passage, tokens, added_at, notes FROM documents ";

constexpr size_t kShortestHashPrefix = 6;

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
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

std::vector<std::string> PathsOf(Database& database, DocumentId id) {
  Statement select = database.Prepare("SELECT path FROM files WHERE document = ?1 ORDER BY path");
  select.Bind(1, id);
  std::vector<std::string> paths;
  while (select.Step()) paths.emplace_back(select.Text(0));
  return paths;
}

[[noreturn]] void FailUnknown(const std::string& name) {
  throw Error(Code::kNotFound,
              fmt::format("{}: no such document in the library; `tome library list` "
                          "names them",
                          name));
}

}  // namespace

std::vector<DocumentRecord> Library::List() {
  std::vector<DocumentRecord> records;
  Statement select = database_->Prepare(fmt::format("{} ORDER BY id", kRecordColumns));
  while (select.Step()) records.push_back(RecordOf(select));
  for (DocumentRecord& record : records) record.paths = PathsOf(*database_, record.id);
  return records;
}

DocumentRecord Library::Show(DocumentId id) {
  Statement select = database_->Prepare(fmt::format("{} WHERE id = ?1", kRecordColumns));
  select.Bind(1, id);
  if (!select.Step()) FailUnknown(fmt::format("#{}", id));
  DocumentRecord record = RecordOf(select);
  record.paths = PathsOf(*database_, id);
  return record;
}

DocumentId Library::Resolve(const std::string& name) {
  std::error_code error;
  const std::string path = std::filesystem::weakly_canonical(name, error).string();
  const std::string_view digits = std::string_view(name).substr(name.starts_with('#') ? 1 : 0);
  DocumentId number = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number = status == std::errc() && end == digits.data() + digits.size();

  std::vector<DocumentId> found;
  for (const DocumentRecord& record : List()) {
    const bool by_path =
        std::any_of(record.paths.begin(), record.paths.end(), [&](const auto& known) {
          return known == path || std::filesystem::path(known).filename() == name;
        });
    const bool by_id = is_number && record.id == number;
    const bool by_hash = name.size() >= kShortestHashPrefix && record.hash.starts_with(name);
    if (by_path || by_id || by_hash) found.push_back(record.id);
  }
  if (found.empty()) FailUnknown(name);
  if (found.size() > 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: names {} documents (#{}); use the number of one", name,
                            found.size(), fmt::join(found, ", #")));
  }
  return found.front();
}

std::string Library::Text(DocumentId id, const TextSpan& span) {
  return ReadStoredText(*database_, id, span);
}

std::string Library::Text(DocumentId id) {
  return Text(id, {.begin = 0, .end = Show(id).text_bytes});
}

std::vector<Section> Library::Sections(DocumentId id) {
  Statement select = database_->Prepare(
      "SELECT title, level, parent, begin_byte, end_byte FROM sections WHERE document = ?1 "
      "ORDER BY ordinal");
  select.Bind(1, id);
  std::vector<Section> sections;
  while (select.Step()) {
    sections.push_back({.title = std::string(select.Text(0)),
                        .level = static_cast<int>(select.Int(1)),
                        .parent = select.Int(2),
                        .span = SpanOf(select, 3)});
  }
  return sections;
}

std::vector<Page> Library::Pages(DocumentId id) {
  Statement select = database_->Prepare(
      "SELECT begin_byte, end_byte, label FROM pages WHERE document = ?1 ORDER BY number");
  select.Bind(1, id);
  std::vector<Page> pages;
  while (select.Step()) {
    pages.push_back({.span = SpanOf(select, 0), .label = std::string(select.Text(2))});
  }
  return pages;
}

std::vector<Passage> Library::ReadPassages(DocumentId id) {
  const PassageRange range = Show(id).passages;
  Statement select = database_->Prepare(
      "SELECT begin_byte, end_byte, section, tokens FROM passages WHERE id BETWEEN ?1 AND ?2 "
      "ORDER BY id");
  select.Bind(1, range.first).Bind(2, range.last);
  std::vector<Passage> passages;
  while (select.Step()) {
    passages.push_back({.span = SpanOf(select, 0),
                        .section = select.Int(2),
                        .page = 0,
                        .tokens = static_cast<uint32_t>(select.Int(3))});
  }
  return passages;
}

Library::PassageRecord Library::ReadPassage(int64_t passage) {
  Statement select = database_->Prepare(
      "SELECT document, begin_byte, end_byte, section, tokens FROM passages WHERE id = ?1");
  select.Bind(1, passage);
  if (!select.Step()) {
    throw Error(Code::kCorrupt, fmt::format("{}: passage {} is indexed and not stored; remove its "
                                            "document and add it again",
                                            database_->path(), passage));
  }
  PassageRecord record{.document = select.Int(0),
                       .span = SpanOf(select, 1),
                       .section_path = {},
                       .headings = {},
                       .tokens = static_cast<uint32_t>(select.Int(4))};
  Statement section =
      database_->Prepare("SELECT title, parent FROM sections WHERE document = ?1 AND ordinal = ?2");
  for (int64_t ordinal = select.Int(3); ordinal != kNoParent;) {
    section.Bind(1, record.document).Bind(2, ordinal);
    if (!section.Step()) break;
    record.section_path = record.section_path.empty()
                              ? std::string(section.Text(0))
                              : fmt::format("{} > {}", section.Text(0), record.section_path);
    ordinal = section.Int(1);
    section.Reset();
  }
  Statement headings = database_->Prepare(
      "SELECT begin_byte, title FROM sections "
      "WHERE document = ?1 AND begin_byte >= ?2 AND begin_byte < ?3 ORDER BY begin_byte");
  headings.Bind(1, record.document)
      .Bind(2, static_cast<int64_t>(record.span.begin))
      .Bind(3, static_cast<int64_t>(record.span.end));
  const std::string text = Text(record.document, record.span);
  while (headings.Step()) {
    const auto begin = static_cast<uint64_t>(headings.Int(0));
    const std::string_view title = headings.Text(1);
    // A section may begin where its title does not stand in the text (a contents entry).
    if (text.compare(begin - record.span.begin, title.size(), title) == 0) {
      record.headings.push_back({.begin = begin, .end = begin + title.size()});
    }
  }
  return record;
}

std::optional<Library::PageRecord> Library::PageOf(DocumentId id, uint64_t offset) {
  Statement select = database_->Prepare(
      "SELECT number, label FROM pages WHERE document = ?1 AND begin_byte <= ?2 "
      "ORDER BY begin_byte DESC, number DESC LIMIT 1");
  select.Bind(1, id).Bind(2, static_cast<int64_t>(offset));
  if (!select.Step()) return std::nullopt;
  return PageRecord{.number = select.Int(0), .label = std::string(select.Text(1))};
}

LexicalResult Library::Search(std::span<const QueryTerm> query,
                              std::span<const DocumentId> documents, size_t limit) {
  std::vector<PassageRange> ranges;
  if (documents.empty()) {
    ranges.push_back({.first = 1, .last = database_->QueryInt("SELECT max(id) FROM passages")});
  }
  for (const DocumentId id : documents) ranges.push_back(Show(id).passages);
  std::sort(ranges.begin(), ranges.end(),
            [](const PassageRange& a, const PassageRange& b) { return a.first < b.first; });
  // A document may be named twice.
  ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
  return index_.Search(query, ranges, limit);
}

std::optional<ModelRates> Library::RatesOf(const SpeedKey& key) {
  Statement select = database_->Prepare(
      "SELECT linear_per_second, attention_per_second, weight_bytes_per_second, "
      "kv_bytes_per_second, under_load, measured_at FROM speeds WHERE shape = ?1 AND processor = "
      "?2 AND kernels = ?3 AND "
      "threads = ?4 AND kv = ?5");
  select.Bind(1, std::string_view(key.shape))
      .Bind(2, std::string_view(key.processor))
      .Bind(3, std::string_view(key.kernels))
      .Bind(4, int64_t{key.threads})
      .Bind(5, NameOf(key.kv));
  if (!select.Step()) return std::nullopt;
  return ModelRates{.linear_per_second = select.Real(0),
                    .attention_per_second = select.Real(1),
                    .weight_bytes_per_second = select.Real(2),
                    .kv_bytes_per_second = select.Real(3),
                    .under_load = select.Int(4) != 0,
                    .measured_at = std::string(select.Text(5))};
}

std::optional<KvLoss> Library::KvLossOf(std::string_view model, KvType kv) {
  Statement select = database_->Prepare(
      "SELECT tokens, mean_kl, p99_kl, largest_kl, perplexity, exact_perplexity, same_top, "
      "bytes_per_token FROM kv_losses WHERE model = ?1 AND kv = ?2");
  const std::string kind = KindOf(kv);
  if (!select.Bind(1, model).Bind(2, std::string_view(kind)).Step()) return std::nullopt;
  return KvLoss{.kv = kv,
                .tokens = select.Int(0),
                .mean_kl = select.Real(1),
                .p99_kl = select.Real(2),
                .largest_kl = select.Real(3),
                .perplexity = select.Real(4),
                .exact_perplexity = select.Real(5),
                .same_top = select.Real(6),
                .bytes_per_token = select.Real(7)};
}

bool Library::KnowsKvLosses(KvType kv) {
  Statement select = database_->Prepare("SELECT 1 FROM kv_losses WHERE kv = ?1 LIMIT 1");
  const std::string kind = KindOf(kv);
  return select.Bind(1, std::string_view(kind)).Step();
}

}  // namespace tome
