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
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/advice.h"
#include "tome/base/progress.h"
#include "tome/documents/document.h"
#include "tome/documents/reader_process.h"
#include "tome/store/store.h"

namespace tome {

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

struct RemovedDocument {
  DocumentRecord record;           // as it was
  int64_t freed_memory_bytes = 0;  // on disk, of what models remembered of it
};

class Library {
 public:
  // Returns $TOME_HOME, else $XDG_DATA_HOME/tome, else ~/.local/share/tome. Throws Error(kNotFound)
  // where none of $TOME_HOME, $XDG_DATA_HOME and $HOME is set.
  static std::filesystem::path DefaultHome();
  // Returns the folder of a home where models' memories of documents are kept
  // (memory/snapshot_store.h).
  static std::filesystem::path MemoriesFolder(const std::filesystem::path& home);

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
  // Removes a document, all that is stored of it, the paths that gave it, and what models remember
  // of it (library/kept_memories.h).
  RemovedDocument Remove(DocumentId id, const WorkControl& control);

  // Forgets the file at a path as DocumentRecord::paths has it, and removes the document that it
  // gave unless another file gave it too. Returns that document where it was removed.
  std::optional<RemovedDocument> Forget(const std::string& path, const WorkControl& control);

  // Returns the bytes of a span of a document's text, or the whole text.
  std::string Text(DocumentId id, const TextSpan& span);
  std::string Text(DocumentId id);
  std::vector<Section> Sections(DocumentId id);
  std::vector<Page> Pages(DocumentId id);
  // Returns the last page that begins at or before byte `offset` of the text; empty where none does.
  std::optional<PageRecord> PageOf(DocumentId id, uint64_t offset);

  // The place where the documents lie, for those who search it (retrieval/retriever.h). It lives as
  // long as the library.
  Store& store() { return *store_; }

 private:
  Library(std::filesystem::path home, std::unique_ptr<Store> store);

  // Adds a document with its passages and their postings.
  DocumentId Insert(const Document& document, std::string_view hash, const Reading& reading,
                    uint64_t file_bytes, const WorkControl& control);
  // Removes all of a document but what models remember of it.
  void RemoveStored(const DocumentRecord& record, const WorkControl& control);

  std::filesystem::path home_;
  std::unique_ptr<Store> store_;
};

}  // namespace tome
