#include "tome/retrieval/duplicates.h"

#include <xxhash.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace tome {

std::vector<uint64_t> Shingles(std::string_view utf8, Analyzer& analyzer) {
  std::vector<uint64_t> terms;
  analyzer.Analyze(utf8, [&](const Term& term) {
    if (term.kind != TermKind::kBigram)
      terms.push_back(XXH3_64bits(term.text.data(), term.text.size()));
  });
  constexpr size_t kRun = 3;
  std::vector<uint64_t> shingles;
  if (terms.size() < kRun) {
    shingles = terms;  // too short for a run of three
  } else {
    for (size_t i = 0; i + kRun <= terms.size(); ++i) {
      shingles.push_back(XXH3_64bits(&terms[i], kRun * sizeof(uint64_t)));
    }
  }
  std::sort(shingles.begin(), shingles.end());
  shingles.erase(std::unique(shingles.begin(), shingles.end()), shingles.end());
  return shingles;
}

double Resemblance(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  if (a.empty() && b.empty()) return 1;
  std::vector<uint64_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return static_cast<double>(both.size()) / static_cast<double>(a.size() + b.size() - both.size());
}

}  // namespace tome
