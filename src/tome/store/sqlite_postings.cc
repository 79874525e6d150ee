#include "tome/store/sqlite_postings.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <thread>

#include "tome/store/fts5_extension.h"

namespace tome {
namespace {

// Terms that FTS5 gathers in memory before it writes a segment. More make fewer segments to merge.
// 64 MiB hold the terms of ten million characters of English.
constexpr int kPendingTermsBytes = 64 << 20;

// Reading in at least this many passages is worth a second connection and thread (some 2 ms).
constexpr size_t kParallelPassages = 16384;

constexpr std::string_view kPostingsQuery =
    "SELECT 1 FROM lexical WHERE lexical MATCH ?2 "
    "AND rowid BETWEEN ?3 AND ?4 AND NOT tome_collect(lexical, ?1)";

size_t CountOf(const PassageRange& range) {
  return range.last < range.first ? 0 : static_cast<size_t>(range.last - range.first + 1);
}

size_t CountOf(std::span<const PassageRange> ranges) {
  size_t count = 0;
  for (const PassageRange& range : ranges) count += CountOf(range);
  return count;
}

std::string EncodeLengths(std::span<const PassageTerms> passages) {
  std::string blob;
  blob.reserve(passages.size() * 2);
  for (const PassageTerms& passage : passages) {
    const uint32_t length = std::min<uint32_t>(passage.text.positions, 0xFFFF);
    blob += static_cast<char>(length & 0xFF);
    blob += static_cast<char>(length >> 8);
  }
  return blob;
}

// Reads the phrases `first`, `first` + `step`, ….
void ReadPhrases(Statement& statement, std::span<const std::string_view> phrases,
                 std::span<const PassageRange> ranges, size_t first, size_t step,
                 std::span<std::vector<Posting>> postings) {
  for (size_t p = first; p < phrases.size(); p += step) {
    const std::string match = fmt::format("\"{}\"", phrases[p]);
    for (const PassageRange& range : ranges) {
      statement.BindPointer(1, &postings[p], kPostingsPointer)
          .Bind(2, std::string_view(match))
          .Bind(3, range.first)
          .Bind(4, range.last)
          .Run();
    }
  }
}

}  // namespace

void SqlitePostings::CreateTables(Database& database) {
  database.Exec(fmt::format(
      "CREATE VIRTUAL TABLE lexical USING fts5("
      "  text, headings, content='', columnsize=0, detail=full, tokenize='tome');"
      "INSERT INTO lexical(lexical, rank) VALUES('hashsize', {});"
      "CREATE TABLE lexical_lengths(first_passage INTEGER PRIMARY KEY, lengths BLOB NOT NULL);",
      kPendingTermsBytes));
}

SqlitePostings::SqlitePostings(Database& database)
    : database_(database),
      insert_(database.Prepare("INSERT INTO lexical(rowid, text, headings) VALUES(?1, ?2, ?3)")),
      delete_(database.Prepare(
          "INSERT INTO lexical(lexical, rowid, text, headings) VALUES('delete', ?1, ?2, ?3)")),
      insert_lengths_(database.Prepare("INSERT INTO lexical_lengths VALUES(?1, ?2)")),
      delete_lengths_(
          database.Prepare("DELETE FROM lexical_lengths WHERE first_passage BETWEEN ?1 AND ?2")),
      read_lengths_(database.Prepare(
          "SELECT first_passage, lengths FROM lexical_lengths WHERE first_passage BETWEEN "
          "ifnull((SELECT max(first_passage) FROM lexical_lengths WHERE first_passage <= ?1), ?1) "
          "AND ?2")),
      postings_(database.Prepare(kPostingsQuery)) {}

void SqlitePostings::Add(PassageId first, std::span<const PassageTerms> passages) {
  if (passages.empty()) return;
  PassageId id = first;
  for (const PassageTerms& passage : passages) {
    insert_.Bind(1, id++)
        .Bind(2, std::string_view(passage.text.stream))
        .Bind(3, std::string_view(passage.headings.stream))
        .Run();
  }
  const std::string lengths = EncodeLengths(passages);
  insert_lengths_.Bind(1, first).BindBlob(2, lengths).Run();
}

void SqlitePostings::Remove(PassageId first, std::span<const PassageTerms> passages) {
  if (passages.empty()) return;
  PassageId id = first;
  for (const PassageTerms& passage : passages) {
    delete_.Bind(1, id++)
        .Bind(2, std::string_view(passage.text.stream))
        .Bind(3, std::string_view(passage.headings.stream))
        .Run();
  }
  delete_lengths_.Bind(1, first).Bind(2, id - 1).Run();
}

void SqlitePostings::Clear() {
  database_.Exec(
      "INSERT INTO lexical(lexical) VALUES('delete-all');"
      "DELETE FROM lexical_lengths;");
}

std::vector<std::vector<Posting>> SqlitePostings::Postings(
    std::span<const std::string_view> phrases, std::span<const PassageRange> ranges) {
  std::vector<std::vector<Posting>> postings(phrases.size());
  const bool parallel = CountOf(ranges) >= kParallelPassages && phrases.size() > 1 &&
                        database_.path() != ":memory:" && !database_.InTransaction();
  if (!parallel) {
    ReadPhrases(postings_, phrases, ranges, 0, 1, postings);
    return postings;
  }
  std::exception_ptr failure;  // of the thread; read after the join
  std::jthread thread([&] {
    try {
      Database second = Database::Open(database_.path(), std::chrono::minutes(1), {});
      RegisterFts5Extension(second);
      Statement statement = second.Prepare(kPostingsQuery);
      ReadPhrases(statement, phrases, ranges, 1, 2, postings);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  ReadPhrases(postings_, phrases, ranges, 0, 2, postings);
  thread.join();
  if (failure) std::rethrow_exception(failure);
  return postings;
}

std::vector<uint16_t> SqlitePostings::Lengths(std::span<const PassageRange> ranges) {
  std::vector<uint16_t> lengths(CountOf(ranges));
  size_t begin = 0;  // of the range, in `lengths`
  for (const PassageRange& range : ranges) {
    read_lengths_.Bind(1, range.first).Bind(2, range.last);
    while (read_lengths_.Step()) {
      const PassageId first = read_lengths_.Int(0);
      const std::string_view blob = read_lengths_.Blob(1);
      for (size_t i = 0; i + 1 < blob.size(); i += 2) {
        const PassageId id = first + static_cast<PassageId>(i / 2);
        if (id < range.first || id > range.last) continue;
        const auto low = static_cast<unsigned char>(blob[i]);
        const auto high = static_cast<unsigned char>(blob[i + 1]);
        lengths[begin + static_cast<size_t>(id - range.first)] =
            static_cast<uint16_t>(low | (high << 8));
      }
    }
    begin += CountOf(range);
  }
  return lengths;
}

}  // namespace tome
