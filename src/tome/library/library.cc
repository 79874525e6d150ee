#include "tome/library/library.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "tome/base/error.h"
#include "tome/library/indexer.h"
#include "tome/library/schema.h"
#include "tome/library/stored_text.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Raise it whenever a reader gives another document for the same file: documents of older versions
// are read again.
constexpr std::string_view kReaderVersion = "1";

// A stamp this soon after the file's last change is not trusted: it cannot show another change
// within the clock's step.
constexpr int64_t kRacyNs = 2'000'000'000;

// Returns the XXH3 of the content, 128 bits. It need only tell apart the contents of one's own
// shelf, so it is not cryptographic.
std::string HashFile(int fd, const WorkControl& control) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::string buffer(size_t{1} << 20, '\0');
  off_t offset = 0;
  for (;;) {
    control.CheckStop();
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError("cannot be read", errno);
    if (count == 0) break;
    XXH3_128bits_update(state.get(), buffer.data(), static_cast<size_t>(count));
    offset += count;
  }
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state.get()));
  return {reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest)};
}

// Returns the options that change what a reader gives, as one text; empty for the default ones.
std::string SettingsOf(const ReadFileOptions& options) {
  std::string settings;
  if (!options.encoding.empty()) settings += fmt::format("encoding={} ", options.encoding);
  if (options.ocr) settings += "ocr ";
  return settings;
}

std::string Now() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

// Joins the texts of notes without their advice, which is only for the user who adds the document.
std::string JoinTexts(const std::vector<Note>& notes) {
  std::string lines;
  for (const Note& note : notes) lines += (lines.empty() ? "" : "\n") + note.text;
  return lines;
}

}  // namespace

std::filesystem::path Library::DefaultHome() {
  const auto named = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (auto home = named("TOME_HOME"); !home.empty()) return home;
  if (auto data = named("XDG_DATA_HOME"); !data.empty()) return data / "tome";
  if (auto home = named("HOME"); !home.empty()) return home / ".local/share/tome";
  throw Error(Code::kNotFound, "no place for the library: set TOME_HOME to a folder");
}

Library::Library(std::unique_ptr<Database> database)
    : database_(std::move(database)), index_(*database_) {}

Library Library::Open(const std::filesystem::path& home, const WorkControl& control) {
  Library library(
      std::make_unique<Database>(OpenLibraryDatabase(home / "library.db", control.stop)));
  std::string version;
  {
    Statement select =
        library.database_->Prepare("SELECT value FROM properties WHERE name = 'analyzer'");
    if (select.Step()) version = select.Text(0);
  }
  if (version != AnalyzerVersion()) library.UpgradeIndex(control);
  return library;
}

AddedDocument Library::Add(const std::filesystem::path& file, const ReadFileOptions& options) {
  const UniqueFd fd = OpenForReading(file);
  const std::string path = std::filesystem::canonical(file).string();
  const std::string settings = SettingsOf(options);
  const FileStamp stamp = StampOf(fd.get(), file.string());
  if (const auto known = FindByPath(path, stamp, settings)) {
    return {.id = *known, .outcome = AddOutcome::kUnchanged, .notes = {}};
  }
  try {
    const std::string hash = HashFile(fd.get(), options.control);
    std::optional<Document> document;
    if (!FindByHash(hash, settings)) {
      document = ReadFileInProcess(fd.get(), path, options);
      if (!(StampOf(fd.get(), path) == stamp)) {
        throw Error(Code::kUnavailable, "changed while it was read; try again");
      }
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    // The empty stamp matches no file, so that the file is hashed again next time.
    const FileStamp trusted = now_ns - stamp.ctime_ns < kRacyNs ? FileStamp{} : stamp;

    Transaction transaction(*database_);
    // Another process may have added the document while this one read it.
    std::optional<DocumentId> id = FindByHash(hash, settings);
    AddedDocument added;
    added.outcome = id ? AddOutcome::kUnchanged : AddOutcome::kAdded;
    if (!id) {
      if (!document)
        throw Error(Code::kUnavailable, "was removed from the library just now; try again");
      id = Insert(*document, hash, settings, stamp.size, options.control);
      added.notes = document->notes;
    }
    added.id = *id;
    const bool replaced = LinkFile(path, *id, trusted, options.control);
    if (replaced && added.outcome == AddOutcome::kAdded) added.outcome = AddOutcome::kReplaced;
    transaction.Commit();
    return added;
  } catch (const Error& error) {
    if (error.code() == Code::kCancelled) throw;
    throw error.In(file.string());
  }
}

std::optional<DocumentId> Library::FindByPath(const std::string& path, const FileStamp& stamp,
                                              const std::string& settings) {
  Statement select = database_->Prepare(
      "SELECT d.id FROM files f JOIN documents d ON d.id = f.document "
      "WHERE f.path = ?1 AND f.size = ?2 AND f.mtime_ns = ?3 AND f.ctime_ns = ?4 AND f.inode = ?5 "
      "AND f.device = ?6 AND d.reader = ?7 AND (?8 = '' OR d.settings = ?8)");
  select.Bind(1, std::string_view(path))
      .Bind(2, static_cast<int64_t>(stamp.size))
      .Bind(3, stamp.mtime_ns)
      .Bind(4, stamp.ctime_ns)
      .Bind(5, static_cast<int64_t>(stamp.inode))
      .Bind(6, static_cast<int64_t>(stamp.device))
      .Bind(7, kReaderVersion)
      .Bind(8, std::string_view(settings));
  if (!select.Step()) return std::nullopt;
  return select.Int(0);
}

std::optional<DocumentId> Library::FindByHash(std::string_view hash, const std::string& settings) {
  // Without special options, any reading of the content will do; the plain one comes first.
  Statement select = database_->Prepare(
      "SELECT id FROM documents WHERE hash = ?1 AND reader = ?2 AND (?3 = '' OR settings = ?3) "
      "ORDER BY settings, id LIMIT 1");
  select.BindBlob(1, hash).Bind(2, kReaderVersion).Bind(3, std::string_view(settings));
  if (!select.Step()) return std::nullopt;
  return select.Int(0);
}

DocumentId Library::Insert(const Document& document, std::string_view hash,
                           const std::string& settings, uint64_t file_bytes,
                           const WorkControl& control) {
  const std::vector<Passage> passages = CutPassages(document, kPassageTokens, control);
  if (passages.empty()) throw Error(Code::kUnsupported, "holds no text");
  int64_t tokens = 0;
  for (const Passage& passage : passages) tokens += passage.tokens;
  const int64_t first = database_->QueryInt("SELECT ifnull(max(id), 0) + 1 FROM passages");
  const int64_t last = first + static_cast<int64_t>(passages.size()) - 1;

  const std::string added_at = Now();
  const std::string notes = JoinTexts(document.notes);
  database_
      ->Prepare(
          "INSERT INTO documents VALUES(NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
          "?13, ?14, ?15, ?16)")
      .BindBlob(1, hash)
      .Bind(2, kReaderVersion)
      .Bind(3, std::string_view(settings))
      .Bind(4, std::string_view(document.format))
      .Bind(5, std::string_view(document.encoding))
      .Bind(6, std::string_view(document.title))
      .Bind(7, int64_t{document.line_breaks == LineBreaks::kSoft})
      .Bind(8, static_cast<int64_t>(file_bytes))
      .Bind(9, static_cast<int64_t>(document.text.size()))
      .Bind(10, static_cast<int64_t>(CountCodePoints(document.text)))
      .Bind(11, static_cast<int64_t>(document.pages.size()))
      .Bind(12, first)
      .Bind(13, last)
      .Bind(14, tokens)
      .Bind(15, std::string_view(added_at))
      .Bind(16, std::string_view(notes))
      .Run();
  const DocumentId id = database_->LastInsertId();

  WriteStoredText(*database_, id, document.text);
  Statement insert_section =
      database_->Prepare("INSERT INTO sections VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  int64_t ordinal = 0;
  for (const Section& section : document.sections) {
    insert_section.Bind(1, id)
        .Bind(2, ordinal++)
        .Bind(3, std::string_view(section.title))
        .Bind(4, int64_t{section.level})
        .Bind(5, section.parent)
        .Bind(6, static_cast<int64_t>(section.span.begin))
        .Bind(7, static_cast<int64_t>(section.span.end))
        .Run();
  }
  Statement insert_page = database_->Prepare("INSERT INTO pages VALUES(?1, ?2, ?3, ?4, ?5)");
  int64_t number = 0;
  for (const Page& page : document.pages) {
    insert_page.Bind(1, id)
        .Bind(2, ++number)
        .Bind(3, static_cast<int64_t>(page.span.begin))
        .Bind(4, static_cast<int64_t>(page.span.end))
        .Bind(5, std::string_view(page.label))
        .Run();
  }
  Statement insert_passage =
      database_->Prepare("INSERT INTO passages VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  int64_t passage_id = first;
  for (const Passage& passage : passages) {
    insert_passage.Bind(1, passage_id++)
        .Bind(2, id)
        .Bind(3, static_cast<int64_t>(passage.span.begin))
        .Bind(4, static_cast<int64_t>(passage.span.end))
        .Bind(5, passage.section)
        .Bind(6, int64_t{passage.tokens})
        .Run();
  }
  AnalyzePassages(document.text, document.sections, passages, control,
                  [&](size_t offset, std::span<const PassageTerms> batch) {
                    index_.Add(first + static_cast<int64_t>(offset), batch);
                  });
  return id;
}

bool Library::LinkFile(const std::string& path, DocumentId id, const FileStamp& stamp,
                       const WorkControl& control) {
  std::optional<DocumentId> before;
  {
    Statement select = database_->Prepare("SELECT document FROM files WHERE path = ?1");
    select.Bind(1, std::string_view(path));
    if (select.Step()) before = select.Int(0);
  }
  database_->Prepare("INSERT OR REPLACE INTO files VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")
      .Bind(1, std::string_view(path))
      .Bind(2, id)
      .Bind(3, static_cast<int64_t>(stamp.size))
      .Bind(4, stamp.mtime_ns)
      .Bind(5, stamp.ctime_ns)
      .Bind(6, static_cast<int64_t>(stamp.inode))
      .Bind(7, static_cast<int64_t>(stamp.device))
      .Run();
  if (!before || *before == id) return false;
  Statement count = database_->Prepare("SELECT count(*) FROM files WHERE document = ?1");
  count.Bind(1, *before);
  if (count.Step() && count.Int(0) == 0) RemoveRows(*before, control);
  return true;
}

void Library::Remove(DocumentId id, const WorkControl& control) {
  Transaction transaction(*database_);
  Show(id);
  database_->Prepare("DELETE FROM files WHERE document = ?1").Bind(1, id).Run();
  RemoveRows(id, control);
  transaction.Commit();
}

void Library::KeepRates(const SpeedKey& key, const ModelRates& rates) {
  const std::string measured_at = Now();
  database_
      ->Prepare(
          "INSERT OR REPLACE INTO speeds VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
      .Bind(1, std::string_view(key.shape))
      .Bind(2, std::string_view(key.processor))
      .Bind(3, std::string_view(key.kernels))
      .Bind(4, int64_t{key.threads})
      .Bind(5, NameOf(key.kv))
      .Bind(6, rates.linear_per_second)
      .Bind(7, rates.attention_per_second)
      .Bind(8, rates.weight_bytes_per_second)
      .Bind(9, rates.kv_bytes_per_second)
      .Bind(10, std::string_view(measured_at))
      .Bind(11, int64_t{rates.under_load})
      .Run();
}

void Library::DropRates(const SpeedKey& key) {
  database_
      ->Prepare(
          "DELETE FROM speeds WHERE shape = ?1 AND processor = ?2 AND kernels = ?3 AND "
          "threads = ?4 AND kv = ?5")
      .Bind(1, std::string_view(key.shape))
      .Bind(2, std::string_view(key.processor))
      .Bind(3, std::string_view(key.kernels))
      .Bind(4, int64_t{key.threads})
      .Bind(5, NameOf(key.kv))
      .Run();
}

void Library::KeepKvLoss(std::string_view model, const KvLoss& loss) {
  const std::string kind = KindOf(loss.kv);
  const std::string measured_at = Now();
  database_
      ->Prepare(
          "INSERT OR REPLACE INTO kv_losses "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
      .Bind(1, model)
      .Bind(2, std::string_view(kind))
      .Bind(3, loss.tokens)
      .Bind(4, loss.mean_kl)
      .Bind(5, loss.p99_kl)
      .Bind(6, loss.largest_kl)
      .Bind(7, loss.perplexity)
      .Bind(8, loss.exact_perplexity)
      .Bind(9, loss.same_top)
      .Bind(10, loss.bytes_per_token)
      .Bind(11, std::string_view(measured_at))
      .Run();
}

std::optional<std::string> Library::AbilityOf(std::string_view model, std::string_view language) {
  Statement select =
      database_->Prepare("SELECT ability FROM abilities WHERE model = ?1 AND language = ?2");
  select.Bind(1, model).Bind(2, language);
  if (!select.Step()) return std::nullopt;
  return std::string(select.Text(0));
}

void Library::KeepAbility(std::string_view model, std::string_view language,
                          std::string_view ability) {
  const std::string measured_at = Now();
  database_->Prepare("INSERT OR REPLACE INTO abilities VALUES(?1, ?2, ?3, ?4)")
      .Bind(1, model)
      .Bind(2, language)
      .Bind(3, ability)
      .Bind(4, std::string_view(measured_at))
      .Run();
}

void Library::RemoveRows(DocumentId id, const WorkControl& control) {
  // A contentless index can remove a passage only if it gets the passage's terms again. Where the
  // text is damaged, the index is rebuilt from the other documents.
  bool told = true;
  try {
    const std::vector<Passage> passages = ReadPassages(id);
    const int64_t first = Show(id).passages.first;
    AnalyzePassages(Text(id), Sections(id), passages, control,
                    [&](size_t offset, std::span<const PassageTerms> batch) {
                      index_.Remove(first + static_cast<int64_t>(offset), batch);
                    });
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt) throw;
    told = false;
  }
  for (const std::string_view table : {"texts", "sections", "pages", "passages"}) {
    database_->Prepare(fmt::format("DELETE FROM {} WHERE document = ?1", table)).Bind(1, id).Run();
  }
  database_->Prepare("DELETE FROM documents WHERE id = ?1").Bind(1, id).Run();
  if (!told) IndexAll(control);
}

void Library::IndexAll(const WorkControl& control) {
  index_.Clear();
  for (const DocumentRecord& record : List()) {
    AnalyzePassages(Text(record.id), Sections(record.id), ReadPassages(record.id), control,
                    [&](size_t offset, std::span<const PassageTerms> batch) {
                      index_.Add(record.passages.first + static_cast<int64_t>(offset), batch);
                    });
  }
}

void Library::UpgradeIndex(const WorkControl& control) {
  Transaction transaction(*database_);
  IndexAll(control);
  const std::string version = AnalyzerVersion();
  database_->Prepare("INSERT OR REPLACE INTO properties VALUES('analyzer', ?1)")
      .Bind(1, std::string_view(version))
      .Run();
  transaction.Commit();
}

}  // namespace tome
