// Measures the stages of `library add` on a text, each alone and on one thread.
//   indexing_bench TEXT_FILE [Google Benchmark's options]
// "chars/s" counts code points of the text.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tome/base/sqlite.h"
#include "tome/documents/passages.h"
#include "tome/store/fts5_extension.h"
#include "tome/store/sqlite_postings.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

Document document;  // set by main before any benchmark runs

void CountCharacters(benchmark::State& state) {
  state.counters["chars/s"] =
      benchmark::Counter(static_cast<double>(CountCodePoints(document.text)),
                         benchmark::Counter::kIsIterationInvariantRate);
}

void BM_Normalize(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(NormalizeText(document.text));
  CountCharacters(state);
}
BENCHMARK(BM_Normalize)->Unit(benchmark::kMillisecond);

void BM_CutPassages(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(CutPassages(document, kPassageTokens, {}));
  CountCharacters(state);
}
BENCHMARK(BM_CutPassages)->Unit(benchmark::kMillisecond);

std::vector<PassageTerms> AnalyzeAll(Analyzer& analyzer) {
  std::vector<PassageTerms> terms;
  for (const Passage& passage : CutPassages(document, kPassageTokens, {})) {
    const auto text =
        std::string_view(document.text).substr(passage.span.begin, passage.span.size());
    terms.push_back({.text = AnalyzeToStream(text, analyzer), .headings = {}});
  }
  return terms;
}

void BM_Analyze(benchmark::State& state) {
  Analyzer analyzer;
  for (auto _ : state) benchmark::DoNotOptimize(AnalyzeAll(analyzer));
  CountCharacters(state);
}
BENCHMARK(BM_Analyze)->Unit(benchmark::kMillisecond);

// Measures FTS5 alone, in memory. This part is serial, so that a second core does not help.
void BM_Insert(benchmark::State& state) {
  Analyzer analyzer;
  const std::vector<PassageTerms> terms = AnalyzeAll(analyzer);
  for (auto _ : state) {
    Database database = Database::Open(":memory:", std::chrono::milliseconds(0), {});
    RegisterFts5Extension(database);
    SqlitePostings::CreateTables(database);
    SqlitePostings postings(database);
    Transaction transaction(database);
    postings.Add(1, terms);
    transaction.Commit();
  }
  CountCharacters(state);
}
BENCHMARK(BM_Insert)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tome

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: {} TEXT_FILE [--benchmark_…]\n", argv[0]);
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  tome::document.text = tome::NormalizeText(std::string{std::istreambuf_iterator<char>(file), {}});
  argv[1] = argv[0];
  int rest = argc - 1;
  benchmark::Initialize(&rest, argv + 1);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
