// VectorStore keeps the vectors of the windows that documents are embedded in.
//
// An embedder is a model, with the way in which it cuts texts into windows; its key says which. A
// window is a span of a document's text and has one vector: 8-bit integers and a scale, so that
// vector[i] ≈ scale · int8[i]. The windows of a document have numbers from 0. They are stored in
// order and in rows of some hundred, each row at once. So embedding can be interrupted after any row
// and goes on behind it, by another process too.
//
// The vectors of a document go with the document (DocumentStore::Remove).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/function_ref.h"
#include "tome/store/document_store.h"

namespace tome {

using EmbedderId = int64_t;

struct EmbedderRecord {
  EmbedderId id = 0;
  std::string key;   // of the model's files and the version of the windows
  std::string name;  // for the user
  int64_t width = 0;
  std::string added_at;  // UTC, ISO 8601
};

// The windows `first` to `first` + n − 1 of a document and their vectors.
struct VectorRow {
  DocumentId document = 0;
  int64_t first = 0;
  int64_t total = 0;                // windows of the whole document
  std::span<const TextSpan> spans;  // [n]
  std::span<const int8_t> vectors;  // [n, width]
  std::span<const float> scales;    // [n]
};

// Most windows of a row. A row of this many vectors of 1,024 numbers is 256 KiB.
inline constexpr int64_t kMaxRowWindows = 256;

// Says how far a document is embedded.
struct VectorProgress {
  int64_t stored = 0;            // windows; the next one to be stored has this number
  std::optional<int64_t> total;  // empty where no row is stored yet

  bool complete() const { return total && stored == *total; }
  friend bool operator==(const VectorProgress&, const VectorProgress&) = default;
};

class VectorStore {
 public:
  virtual ~VectorStore() = default;

  // Returns the embedder with this key, which is added where it is missing. Throws Error(kCorrupt)
  // where it has another width.
  virtual EmbedderId Register(std::string_view key, std::string_view name, int64_t width) = 0;
  // Returns all embedders in the order in which they were added.
  virtual std::vector<EmbedderRecord> Embedders() = 0;
  // Removes an embedder and all its vectors.
  virtual void Drop(EmbedderId embedder) = 0;

  // Stores a row if its first window is the next one of the document, and changes nothing otherwise:
  // another process may have stored it, or have dropped the embedder and begun again. Returns the
  // progress, which says in any case where to go on. Throws Error(kNotFound) where the document or
  // the embedder is not there any more.
  virtual VectorProgress Put(EmbedderId embedder, const VectorRow& row) = 0;
  virtual VectorProgress ProgressOf(EmbedderId embedder, DocumentId document) = 0;
  // Returns the documents that are not embedded completely, in the order in which they were added.
  virtual std::vector<DocumentId> Incomplete(EmbedderId embedder) = 0;

  // Gives `take` the rows of the documents, or of all where `documents` is empty, by document and
  // window. A document may be named twice. The row is valid during the call. Throws Error(kCorrupt)
  // for a damaged row.
  virtual void Read(EmbedderId embedder, std::span<const DocumentId> documents,
                    FunctionRef<void(const VectorRow&)> take) = 0;
};

}  // namespace tome
