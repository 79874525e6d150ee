// Store is where a shelf lies: its documents, the postings of their passages, the vectors of
// their windows, and notes of models. `sqlite_store.h` keeps it in one file.
//
// The parts belong to one store, so that all of a document comes and goes in one transaction. A
// store belongs to one thread at a time. Several stores, also of other processes, may be open on the
// same data: each sees what the others have committed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tome/store/document_store.h"
#include "tome/store/note_store.h"
#include "tome/store/posting_store.h"
#include "tome/store/vector_store.h"

namespace tome {

// Changes between Begin and Commit happen as a whole or not at all. Without Commit they are undone
// at the end of the scope. There is one transaction at a time among all who have the data open.
class StoreTransaction {
 public:
  virtual ~StoreTransaction() = default;
  virtual void Commit() = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual DocumentStore& documents() = 0;
  virtual PostingStore& postings() = 0;
  virtual VectorStore& vectors() = 0;
  virtual NoteStore& notes() = 0;

  // Waits for the transactions of others. Without a transaction every change is one of its own.
  virtual std::unique_ptr<StoreTransaction> Begin() = 0;

  // Facts about the store as a whole, by name.
  virtual std::optional<std::string> Property(std::string_view name) = 0;
  virtual void SetProperty(std::string_view name, std::string_view value) = 0;
};

// The property that says by which AnalyzerVersion the postings were made.
inline constexpr std::string_view kAnalyzerProperty = "analyzer";

}  // namespace tome
