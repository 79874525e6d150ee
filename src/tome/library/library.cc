#include "tome/library/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/library/content_hash.h"
#include "tome/library/indexer.h"
#include "tome/library/kept_memories.h"
#include "tome/store/sqlite_store.h"

namespace tome {
namespace {

// Raise it whenever a reader gives another document for the same file: documents of older versions
// are read again.
constexpr std::string_view kReaderVersion = "1";

// A stamp this soon after the file's last change is not trusted: it cannot show another change
// within the clock's step.
constexpr int64_t kRacyNs = 2'000'000'000;

constexpr size_t kShortestHashPrefix = 6;

// Returns the options that change what a reader gives, as one text; empty for the default ones.
std::string SettingsOf(const ReadFileOptions& options) {
  std::string settings;
  if (!options.encoding.empty()) settings += fmt::format("encoding={} ", options.encoding);
  if (options.ocr) settings += "ocr ";
  return settings;
}

// Returns a stamp to know the file by later. The empty stamp matches no file, so that the file is
// hashed again next time.
FileStamp TrustedStamp(const FileStamp& stamp) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return now_ns - stamp.ctime_ns < kRacyNs ? FileStamp{} : stamp;
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

std::filesystem::path Library::MemoriesFolder(const std::filesystem::path& home) {
  return home / "memories";
}

Library::Library(std::filesystem::path home, std::unique_ptr<Store> store)
    : home_(std::move(home)), store_(std::move(store)) {}

Library Library::Open(const std::filesystem::path& home, const WorkControl& control) {
  Library library(home, OpenSqliteStore(home / "library.db", control.stop));
  UpgradeIndex(*library.store_, control);
  return library;
}

AddedDocument Library::Add(const std::filesystem::path& file, const ReadFileOptions& options) {
  const UniqueFd fd = OpenForReading(file);
  const std::string path = std::filesystem::canonical(file).string();
  const std::string settings = SettingsOf(options);
  const Reading reading{.reader = kReaderVersion, .settings = settings};
  const FileStamp stamp = StampOf(fd.get(), file.string());
  DocumentStore& documents = store_->documents();
  if (const auto known = documents.FindByFile(path, stamp, reading)) {
    return {.id = *known, .outcome = AddOutcome::kUnchanged, .notes = {}};
  }
  try {
    const std::string hash = HashFile(fd.get(), options.control);
    std::optional<Document> document;
    if (!documents.FindByContent(hash, reading)) {
      document = ReadFileInProcess(fd.get(), path, options);
      if (!(StampOf(fd.get(), path) == stamp)) {
        throw Error(Code::kUnavailable, "changed while it was read; try again");
      }
    }
    const FileStamp trusted = TrustedStamp(stamp);

    const auto transaction = store_->Begin();
    // Another process may have added the document while this one read it.
    std::optional<DocumentId> id = documents.FindByContent(hash, reading);
    AddedDocument added;
    added.outcome = id ? AddOutcome::kUnchanged : AddOutcome::kAdded;
    if (!id) {
      if (!document)
        throw Error(Code::kUnavailable, "was removed from the library just now; try again");
      id = Insert(*document, hash, reading, stamp.size, options.control);
      added.notes = document->notes;
    }
    added.id = *id;
    const std::optional<DocumentId> before = documents.LinkFile(path, *id, trusted);
    if (before && *before != *id) {
      if (added.outcome == AddOutcome::kAdded) added.outcome = AddOutcome::kReplaced;
      const DocumentRecord record = documents.Read(*before);
      if (record.paths.empty()) RemoveStored(record, options.control);
    }
    transaction->Commit();
    return added;
  } catch (const Error& error) {
    if (error.code() == Code::kCancelled) throw;
    throw error.In(file.string());
  }
}

DocumentId Library::Insert(const Document& document, std::string_view hash, const Reading& reading,
                           uint64_t file_bytes, const WorkControl& control) {
  const std::vector<Passage> passages = CutPassages(document, kPassageTokens, control);
  if (passages.empty()) throw Error(Code::kUnsupported, "holds no text");
  const DocumentRecord record = store_->documents().Insert({.hash = hash,
                                                            .reading = reading,
                                                            .file_bytes = file_bytes,
                                                            .document = document,
                                                            .passages = passages});
  AddToIndex({.text = document.text,
              .sections = document.sections,
              .passages = passages,
              .first = record.passages.first},
             store_->postings(), control);
  return record.id;
}

std::vector<DocumentRecord> Library::List() { return store_->documents().List(); }

DocumentRecord Library::Show(DocumentId id) { return store_->documents().Read(id); }

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
  if (found.empty()) FailUnknownDocument(name);
  if (found.size() > 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: names {} documents (#{}); use the number of one", name,
                            found.size(), fmt::join(found, ", #")));
  }
  return found.front();
}

RemovedDocument Library::Remove(DocumentId id, const WorkControl& control) {
  RemovedDocument removed{.record = Show(id)};
  std::vector<DocumentRecord> staying = List();
  std::erase_if(staying, [&](const DocumentRecord& other) { return other.id == id; });
  // Memories are removed first. If the removal fails halfway, the document is still on the shelf,
  // and repeating it removes the memories that are left.
  removed.freed_memory_bytes = RemoveMemoriesOf(removed.record, staying, MemoriesFolder(home_));
  const auto transaction = store_->Begin();
  RemoveStored(Show(id), control);
  transaction->Commit();
  return removed;
}

std::optional<RemovedDocument> Library::Forget(const std::string& path,
                                               const WorkControl& control) {
  const std::optional<DocumentId> id = store_->documents().FindByPath(path);
  if (!id) return std::nullopt;
  if (Show(*id).paths.size() == 1) return Remove(*id, control);
  store_->documents().UnlinkFile(path);
  return std::nullopt;
}

void Library::RemoveStored(const DocumentRecord& record, const WorkControl& control) {
  // Where the text is damaged, its terms cannot be told, and the index is rebuilt from the other
  // documents.
  const IndexRemoval removal = RemoveFromIndex(record, *store_, control);
  store_->documents().Remove(record.id);
  if (removal == IndexRemoval::kTextDamaged) RebuildIndex(*store_, control);
}

std::string Library::Text(DocumentId id, const TextSpan& span) {
  return store_->documents().Text(id, span);
}

std::string Library::Text(DocumentId id) {
  return Text(id, {.begin = 0, .end = Show(id).text_bytes});
}

std::vector<Section> Library::Sections(DocumentId id) { return store_->documents().Sections(id); }

std::vector<Page> Library::Pages(DocumentId id) { return store_->documents().Pages(id); }

std::optional<PageRecord> Library::PageOf(DocumentId id, uint64_t offset) {
  return store_->documents().PageOf(id, offset);
}

}  // namespace tome
