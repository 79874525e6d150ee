// The library: the shelf of documents on disk, read once and found again by their content.
//
// A document is a distinct content; files are the paths that gave it. A renamed or copied file
// finds the document it already is, an unchanged one is not even read, a changed one replaces what
// it was, in one transaction. Several processes may use one library at once.
//
// One object a thread. Paths in errors are as the user gave them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/file.h"
#include "tome/base/progress.h"
#include "tome/base/sqlite.h"
#include "tome/documents/document.h"
#include "tome/documents/passages.h"
#include "tome/documents/reader_process.h"
#include "tome/generate/model_rates.h"
#include "tome/library/kv_loss.h"
#include "tome/retrieval/lexical_index.h"

namespace tome {

using DocumentId = int64_t;

// A document of the library without its text.
struct DocumentRecord {
  DocumentId id = 0;
  std::string hash;  // of the file's bytes, 32 hexadecimal digits
  std::string format;
  std::string encoding;
  std::string title;
  LineBreaks line_breaks = LineBreaks::kHard;
  uint64_t file_bytes = 0;
  uint64_t text_bytes = 0;
  uint64_t characters = 0;  // code points of the text
  uint64_t pages = 0;
  PassageRange passages;
  uint64_t tokens = 0;             // estimated
  std::string added_at;            // UTC, ISO 8601
  std::vector<std::string> notes;  // of the reader, without advice
  std::vector<std::string> paths;  // files that gave it, sorted
};

enum class AddOutcome {
  kAdded,      // a new document
  kReplaced,   // a new document in the place of what the file held before
  kUnchanged,  // the file's document was here already
};

struct AddedDocument {
  DocumentId id = 0;
  AddOutcome outcome = AddOutcome::kAdded;
  std::vector<Note> notes;  // of the reader
};

class Library {
 public:
  // $TOME_HOME, else $XDG_DATA_HOME/tome, else ~/.local/share/tome. Error(kNotFound) when none is
  // set.
  static std::filesystem::path DefaultHome();

  // Opens or creates `home`/library.db. An index made by another version of the analyzer is
  // rebuilt.
  static Library Open(const std::filesystem::path& home, const WorkControl& control);

  // Makes `file` a document of the library. Nothing is changed unless all of it succeeds.
  AddedDocument Add(const std::filesystem::path& file, const ReadFileOptions& options);

  // All documents, in the order they were added.
  std::vector<DocumentRecord> List();
  // Error(kNotFound) for an unknown one.
  DocumentRecord Show(DocumentId id);
  // The documents that a user's word names: a path, a file name, an id as printed by list ("#12" or
  // "12"), or the beginning (6 digits or more) of a hash. Error(kNotFound) for none, and
  // Error(kInvalidArgument) for several.
  DocumentId Resolve(const std::string& name);
  // Removes a document, its index and the memory of its paths.
  void Remove(DocumentId id, const WorkControl& control);

  // The bytes of a span of a document's text; the whole text without a span.
  std::string Text(DocumentId id, const TextSpan& span);
  std::string Text(DocumentId id);
  std::vector<Section> Sections(DocumentId id);
  std::vector<Page> Pages(DocumentId id);

  // What is known of one passage.
  struct PassageRecord {
    DocumentId document = 0;
    TextSpan span;
    std::string section_path;        // empty outside any section
    std::vector<TextSpan> headings;  // heading lines that lie in the passage
    uint32_t tokens = 0;
  };
  PassageRecord ReadPassage(int64_t passage);
  // Number and printed label of the page that holds a byte of the text; nothing without pages.
  struct PageRecord {
    int64_t number = 0;
    std::string label;
  };
  std::optional<PageRecord> PageOf(DocumentId id, uint64_t offset);

  // Lexical search in the passages of `documents`; in all of the library when there are none.
  LexicalResult Search(std::span<const QueryTerm> query, std::span<const DocumentId> documents,
                       size_t limit);

  // The rates of a model that were kept; nothing when none were.
  std::optional<ModelRates> RatesOf(const SpeedKey& key);
  // Keeps rates in the place of those that were, as measured now.
  void KeepRates(const SpeedKey& key, const ModelRates& rates);
  void DropRates(const SpeedKey& key);

  // What a model (LanguageModel::FilesKey) loses by memories of a type, as measured and kept;
  // nothing where nothing was.
  std::optional<KvLoss> KvLossOf(std::string_view model, KvType kv);
  // Whether that is known of any model.
  bool KnowsKvLosses(KvType kv);
  // Keeps a loss in the place of one of the same type.
  void KeepKvLoss(std::string_view model, const KvLoss& loss);

  // What a model (LanguageModel::FilesKey) was found to be able to in a language, as KeepAbility
  // was given it; nothing where nothing was kept.
  std::optional<std::string> AbilityOf(std::string_view model, std::string_view language);
  // Keeps it in the place of what was.
  void KeepAbility(std::string_view model, std::string_view language, std::string_view ability);

 private:
  explicit Library(std::unique_ptr<Database> database);

  std::optional<DocumentId> FindByPath(const std::string& path, const FileStamp& stamp,
                                       const std::string& settings);
  std::optional<DocumentId> FindByHash(std::string_view hash, const std::string& settings);
  DocumentId Insert(const Document& document, std::string_view hash, const std::string& settings,
                    uint64_t file_bytes, const WorkControl& control);
  bool LinkFile(const std::string& path, DocumentId id, const FileStamp& stamp,
                const WorkControl& control);
  void RemoveRows(DocumentId id, const WorkControl& control);
  void IndexAll(const WorkControl& control);
  void UpgradeIndex(const WorkControl& control);
  std::vector<Passage> ReadPassages(DocumentId id);

  std::unique_ptr<Database> database_;  // its address is held by statements
  LexicalIndex index_;
};

}  // namespace tome
