#include "tome/retrieval/lexical_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <thread>

#include "tome/base/error.h"
#include "tome/retrieval/fts5_extension.h"

namespace tome {
namespace {

// Terms that FTS5 gathers in memory before it writes a segment. More make fewer segments to merge.
// 64 MiB hold the terms of ten million characters of English.
constexpr int kPendingTermsBytes = 64 << 20;

// The passages of all ranges, one range after the other. A slot is a position in this sequence.
class Scope {
 public:
  explicit Scope(std::span<const PassageRange> ranges) {
    for (const PassageRange& range : ranges) {
      if (range.last < range.first) continue;
      parts_.push_back({range, size_});
      size_ += static_cast<size_t>(range.last - range.first + 1);
    }
  }

  struct Part {
    PassageRange range;
    size_t first_slot;
  };
  std::span<const Part> parts() const { return parts_; }
  size_t size() const { return size_; }

  int64_t IdOf(size_t slot) const {
    const auto after =
        std::upper_bound(parts_.begin(), parts_.end(), slot,
                         [](size_t s, const Part& part) { return s < part.first_slot; });
    const Part& part = *(after - 1);
    return part.range.first + static_cast<int64_t>(slot - part.first_slot);
  }

 private:
  std::vector<Part> parts_;
  size_t size_ = 0;
};

// Reads the lengths of the scope's passages, by slot; 0 for an id that holds no passage.
std::vector<uint16_t> ReadLengths(Statement& statement, const Scope& scope) {
  std::vector<uint16_t> lengths(scope.size());
  for (const Scope::Part& part : scope.parts()) {
    statement.Bind(1, part.range.first).Bind(2, part.range.last);
    while (statement.Step()) {
      const int64_t first = statement.Int(0);
      const std::string_view blob = statement.Blob(1);
      for (size_t i = 0; i + 1 < blob.size(); i += 2) {
        const int64_t id = first + static_cast<int64_t>(i / 2);
        if (id < part.range.first || id > part.range.last) continue;
        const auto low = static_cast<unsigned char>(blob[i]);
        const auto high = static_cast<unsigned char>(blob[i + 1]);
        lengths[part.first_slot + static_cast<size_t>(id - part.range.first)] =
            static_cast<uint16_t>(low | (high << 8));
      }
    }
  }
  return lengths;
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

constexpr std::string_view kPostingsQuery =
    "SELECT 1 FROM lexical WHERE lexical MATCH ?2 "
    "AND rowid BETWEEN ?3 AND ?4 AND NOT tome_collect(lexical, ?1)";

// A search in at least this many passages is worth a second connection and thread (some 2 ms).
constexpr size_t kParallelPassages = 16384;

// The postings of one term in order of slot, and their number up to the end of each part.
struct TermPostings {
  std::vector<Posting> postings;
  std::vector<size_t> part_ends;
};

// Appends the postings of `term` in `range`, in order of id.
void ReadPostings(Statement& statement, std::string_view match, const PassageRange& range,
                  std::vector<Posting>& postings) {
  statement.BindPointer(1, &postings, kPostingsPointer)
      .Bind(2, match)
      .Bind(3, range.first)
      .Bind(4, range.last)
      .Run();
}

// Reads the terms `first`, `first` + `step`, ….
void ReadTerms(Statement& statement, std::span<const QueryTerm> query, const Scope& scope,
               size_t first, size_t step, std::span<TermPostings> all) {
  for (size_t t = first; t < query.size(); t += step) {
    const std::string match = fmt::format("\"{}\"", query[t].stream);
    for (const Scope::Part& part : scope.parts()) {
      ReadPostings(statement, match, part.range, all[t].postings);
      all[t].part_ends.push_back(all[t].postings.size());
    }
  }
}

// Reads the postings of all terms. In a large scope, a second connection on a thread of its own
// reads every second term.
std::vector<TermPostings> ReadAllPostings(Database& database, Statement& statement,
                                          std::span<const QueryTerm> query, const Scope& scope) {
  std::vector<TermPostings> all(query.size());
  const bool parallel = scope.size() >= kParallelPassages && query.size() > 1 &&
                        database.path() != ":memory:" && !database.InTransaction();
  if (!parallel) {
    ReadTerms(statement, query, scope, 0, 1, all);
    return all;
  }
  std::exception_ptr failure;  // of the thread; read after the join
  std::jthread thread([&] {
    try {
      Database second = Database::Open(database.path(), std::chrono::minutes(1), {});
      RegisterFts5Extension(second);
      Statement postings = second.Prepare(kPostingsQuery);
      ReadTerms(postings, query, scope, 1, 2, all);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  ReadTerms(statement, query, scope, 0, 2, all);
  thread.join();
  if (failure) std::rethrow_exception(failure);
  return all;
}

}  // namespace

void LexicalIndex::CreateTables(Database& database) {
  database.Exec(fmt::format(
      "CREATE VIRTUAL TABLE lexical USING fts5("
      "  text, headings, content='', columnsize=0, detail=full, tokenize='tome');"
      "INSERT INTO lexical(lexical, rank) VALUES('hashsize', {});"
      "CREATE TABLE lexical_lengths(first_passage INTEGER PRIMARY KEY, lengths BLOB NOT NULL);",
      kPendingTermsBytes));
}

LexicalIndex::LexicalIndex(Database& database)
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

void LexicalIndex::Add(int64_t first, std::span<const PassageTerms> passages) {
  if (passages.empty()) return;
  int64_t id = first;
  for (const PassageTerms& passage : passages) {
    insert_.Bind(1, id++)
        .Bind(2, std::string_view(passage.text.stream))
        .Bind(3, std::string_view(passage.headings.stream))
        .Run();
  }
  const std::string lengths = EncodeLengths(passages);
  insert_lengths_.Bind(1, first).BindBlob(2, lengths).Run();
}

void LexicalIndex::Remove(int64_t first, std::span<const PassageTerms> passages) {
  if (passages.empty()) return;
  int64_t id = first;
  for (const PassageTerms& passage : passages) {
    delete_.Bind(1, id++)
        .Bind(2, std::string_view(passage.text.stream))
        .Bind(3, std::string_view(passage.headings.stream))
        .Run();
  }
  delete_lengths_.Bind(1, first).Bind(2, id - 1).Run();
}

void LexicalIndex::Clear() {
  database_.Exec(
      "INSERT INTO lexical(lexical) VALUES('delete-all');"
      "DELETE FROM lexical_lengths;");
}

LexicalResult LexicalIndex::Search(std::span<const QueryTerm> query,
                                   std::span<const PassageRange> ranges, size_t limit) {
  const Scope scope(ranges);
  if (scope.size() == 0 || query.empty() || limit == 0) return {};
  const std::vector<uint16_t> lengths = ReadLengths(read_lengths_, scope);
  double total_length = 0;
  size_t passages = 0;
  for (const uint16_t length : lengths) {
    total_length += length;
    if (length > 0) ++passages;
  }
  const auto count = static_cast<double>(std::max<size_t>(passages, 1));
  const double mean_length = std::max(1.0, total_length / count);

  LexicalResult result;
  constexpr double kExcluded = -std::numeric_limits<double>::infinity();
  std::vector<double> scores(scope.size(), 0.0);
  const std::vector<TermPostings> all = ReadAllPostings(database_, postings_, query, scope);
  for (size_t t = 0; t < query.size(); ++t) {
    const QueryTerm& term = query[t];
    const auto& [postings, part_ends] = all[t];
    const auto holding = static_cast<double>(postings.size());
    const double idf = std::log1p((count - std::min(holding, count) + 0.5) / (holding + 0.5));
    result.idf.push_back(idf);
    std::vector<bool> holds(term.required ? scope.size() : 0, false);
    size_t next = 0;
    for (size_t p = 0; p < part_ends.size(); ++p) {
      const Scope::Part& part = scope.parts()[p];
      for (; next < part_ends[p]; ++next) {
        const Posting& posting = postings[next];
        const size_t slot = part.first_slot + static_cast<size_t>(posting.id - part.range.first);
        const double frequency = posting.in_text + kHeadingWeight * posting.in_headings;
        const double norm = 1 - kBm25B + kBm25B * lengths[slot] / mean_length;
        scores[slot] +=
            term.weight * idf * frequency * (kBm25K1 + 1) / (frequency + kBm25K1 * norm);
        if (term.required) holds[slot] = true;
      }
    }
    for (size_t slot = 0; slot < holds.size(); ++slot) {
      if (!holds[slot]) scores[slot] = kExcluded;
    }
  }

  std::vector<size_t> best;
  for (size_t slot = 0; slot < scores.size(); ++slot) {
    if (scores[slot] > 0) best.push_back(slot);
  }
  const size_t kept = std::min(limit, best.size());
  const auto better = [&](size_t a, size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  };
  std::partial_sort(best.begin(), best.begin() + static_cast<ptrdiff_t>(kept), best.end(), better);
  for (size_t i = 0; i < kept; ++i) {
    result.passages.push_back({.id = scope.IdOf(best[i]), .score = scores[best[i]]});
  }
  return result;
}

}  // namespace tome
