// The library: the shelf of documents on disk, which are read once and found again by their
// content.
//
// A document is a distinct content; its files are the paths that gave it. A renamed or copied file
// finds the document that it already is. An unchanged file is not even read. The document of a
// changed file takes the place of the file's earlier one in one transaction; the earlier one is
// removed, unless another file gave it too. Several processes may use one library at once.
//
// An object belongs to one thread. Paths in errors are as the user gave them.
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

// A document of the library, without its text.
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
  std::vector<std::string> notes;  // of the reader, without their advice
  std::vector<std::string> paths;  // of the files that gave it, sorted
};

enum class AddOutcome {
  kAdded,      // a new document
  kReplaced,   // a new document; the file had given another one before
  kUnchanged,  // a document that the library held already
};

struct AddedDocument {
  DocumentId id = 0;
  AddOutcome outcome = AddOutcome::kAdded;
  std::vector<Note> notes;  // of the reader
};

class Library {
 public:
  // Returns $TOME_HOME, else $XDG_DATA_HOME/tome, else ~/.local/share/tome. Throws Error(kNotFound)
  // where none of $TOME_HOME, $XDG_DATA_HOME and $HOME is set.
  static std::filesystem::path DefaultHome();

  // Opens or creates `home`/library.db. Rebuilds an index of another version of the analyzer.
  static Library Open(const std::filesystem::path& home, const WorkControl& control);

  // Makes `file` a document of the library. Nothing changes unless all of it succeeds.
  AddedDocument Add(const std::filesystem::path& file, const ReadFileOptions& options);

  // Returns all documents in the order in which they were added.
  std::vector<DocumentRecord> List();
  // Throws Error(kNotFound) for an unknown document.
  DocumentRecord Show(DocumentId id);
  // Returns the document that a user's word names: a path, a file name, an id as `list` prints it
  // ("#12" or "12"), or the beginning (6 digits or more) of a hash. Throws Error(kNotFound) for no
  // document and Error(kInvalidArgument) for several.
  DocumentId Resolve(const std::string& name);
  // Removes a document, its postings in the index and the paths that gave it.
  void Remove(DocumentId id, const WorkControl& control);

  // Returns the bytes of a span of a document's text, or the whole text.
  std::string Text(DocumentId id, const TextSpan& span);
  std::string Text(DocumentId id);
  std::vector<Section> Sections(DocumentId id);
  std::vector<Page> Pages(DocumentId id);

  // A stored passage.
  struct PassageRecord {
    DocumentId document = 0;
    TextSpan span;
    std::string section_path;        // empty outside any section
    std::vector<TextSpan> headings;  // heading lines that lie in the passage
    uint32_t tokens = 0;
  };
  PassageRecord ReadPassage(int64_t passage);
  // A page by its number, from 1, and its printed label (Page::label). PageOf returns the last page
  // that begins at or before byte `offset` of the text, as PageAt does; empty where none does.
  struct PageRecord {
    int64_t number = 0;
    std::string label;
  };
  std::optional<PageRecord> PageOf(DocumentId id, uint64_t offset);

  // Searches the passages of `documents`, or of the whole library where `documents` is empty.
  LexicalResult Search(std::span<const QueryTerm> query, std::span<const DocumentId> documents,
                       size_t limit);

  // Returns the kept rates of a model. Empty where none are kept.
  std::optional<ModelRates> RatesOf(const SpeedKey& key);
  // Keeps rates, as measured now, in the place of earlier ones.
  void KeepRates(const SpeedKey& key, const ModelRates& rates);
  void DropRates(const SpeedKey& key);

  // Returns the kept loss that memories of type `kv` cause to a model (LanguageModel::FilesKey).
  // Empty where none is kept.
  std::optional<KvLoss> KvLossOf(std::string_view model, KvType kv);
  // Returns whether a loss by this type is kept for at least one model.
  bool KnowsKvLosses(KvType kv);
  // Keeps a loss in the place of an earlier one of the same model and type.
  void KeepKvLoss(std::string_view model, const KvLoss& loss);

  // Returns what KeepAbility was given for a model (LanguageModel::FilesKey) in a language. Empty
  // where nothing is kept.
  std::optional<std::string> AbilityOf(std::string_view model, std::string_view language);
  // Keeps an ability in the place of an earlier one.
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

  std::unique_ptr<Database> database_;  // on the heap, since statements hold its address
  LexicalIndex index_;
};

}  // namespace tome
