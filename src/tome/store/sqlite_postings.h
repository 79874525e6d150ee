// Postings in FTS5. Its tables are
//   lexical          FTS5, contentless, detail=full: one row a passage, with the columns `text` and
//                    `headings`
//   lexical_lengths  (first_passage, lengths): one row for the passages of one Add. `lengths` has
//                    the number of term positions in each passage's text, as 16-bit little-endian
//                    numbers (at most 65535)
// FTS5 gives the postings alone. Its own scores would count all documents, not those that are asked
// about.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tome/base/sqlite.h"
#include "tome/store/posting_store.h"

namespace tome {

class SqlitePostings final : public PostingStore {
 public:
  // Creates the tables in a new database.
  static void CreateTables(Database& database);

  // The database must outlive the object and carry the FTS5 extension.
  explicit SqlitePostings(Database& database);

  void Add(PassageId first, std::span<const PassageTerms> passages) override;
  void Remove(PassageId first, std::span<const PassageTerms> passages) override;
  void Clear() override;

  // The cost is linear in the postings that the phrases have in the ranges. Where the passages are
  // many, a second thread with a connection of its own reads half of the phrases.
  std::vector<std::vector<Posting>> Postings(std::span<const std::string_view> phrases,
                                             std::span<const PassageRange> ranges) override;
  std::vector<uint16_t> Lengths(std::span<const PassageRange> ranges) override;

 private:
  Database& database_;
  Statement insert_;
  Statement delete_;
  Statement insert_lengths_;
  Statement delete_lengths_;
  Statement read_lengths_;
  Statement postings_;
};

}  // namespace tome
