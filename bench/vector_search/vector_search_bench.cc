// Searches a file of vectors with Tome's index of vectors, as run.py asks it to:
//
//   vector_search_bench VECTORS QUERIES WIDTH EXACT_VECTORS
//
// Both files hold float32 [rows, WIDTH]. An index of more than EXACT_VECTORS vectors is clustered.
// Prints a line of JSON when the index is made, then answers each line of standard input, a number
// of neighbours, with a line of JSON: the ids that each query finds, and the seconds and the
// processor seconds that each took.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "tome/base/mapped_file.h"
#include "tome/retrieval/dense_index.h"
#include "tome/retrieval/quantized_vectors.h"

namespace tome {
namespace {

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double ProcessorSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::span<const float> Floats(const MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

int Run(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: vector_search_bench VECTORS QUERIES WIDTH EXACT_VECTORS\n";
    return 2;
  }
  const MappedFile vector_file(argv[1]);
  const MappedFile query_file(argv[2]);
  const int64_t width = std::atoll(argv[3]);
  const auto columns = static_cast<size_t>(width);
  ThreadPool threads(ProcessorCount());
  const Compute compute{SelectKernelSet(), threads};

  double begin = Now();
  double processor = ProcessorSeconds();
  DenseIndex index(width, {.exact_vectors = std::atoll(argv[4])});
  const std::span<const float> vectors = Floats(vector_file);
  const size_t rows = vectors.size() / columns;
  constexpr size_t kBlock = 16384;
  std::vector<int8_t> values(kBlock * columns);
  std::vector<float> scales(kBlock);
  std::vector<int64_t> ids(kBlock);
  for (size_t row = 0; row < rows; row += kBlock) {
    const size_t count = std::min(kBlock, rows - row);
    const auto some = std::span(values).first(count * columns);
    QuantizeVectors(vectors.subspan(row * columns, count * columns), width, some,
                    std::span(scales).first(count));
    std::iota(ids.begin(), ids.end(), static_cast<int64_t>(row));
    index.Add({std::span(ids).first(count), some, std::span(scales).first(count)});
  }
  const double added = Now() - begin;
  const double added_processor = ProcessorSeconds() - processor;
  begin = Now();
  processor = ProcessorSeconds();
  index.Cluster(compute);
  fmt::print(
      "{{\"vectors\": {}, \"add_seconds\": {}, \"add_processor_seconds\": {}, \"cluster_seconds\": "
      "{}, \"cluster_processor_seconds\": {}, \"bytes\": {}, \"lists\": {}, \"probes\": {}, "
      "\"kernels\": \"{}\", \"threads\": {}}}\n",
      index.size(), added, added_processor, Now() - begin, ProcessorSeconds() - processor,
      index.bytes(), index.Clusters().centroids.size() / columns, index.Clusters().probes,
      compute.kernels.name, threads.threads());
  std::fflush(stdout);

  const std::span<const float> queries = Floats(query_file);
  for (std::string line; std::getline(std::cin, line);) {
    const int64_t limit = std::atoll(line.c_str());
    std::vector<double> seconds;
    std::vector<double> processor_seconds;
    std::vector<std::vector<int64_t>> found;
    for (size_t at = 0; at + columns <= queries.size(); at += columns) {
      begin = Now();
      processor = ProcessorSeconds();
      const std::vector<Neighbor> neighbors =
          index.Search(queries.subspan(at, columns), limit, compute);
      seconds.push_back(Now() - begin);
      processor_seconds.push_back(ProcessorSeconds() - processor);
      found.emplace_back();
      for (const Neighbor& each : neighbors) found.back().push_back(each.id);
    }
    fmt::print("{{\"ids\": {}, \"seconds\": {}, \"processor_seconds\": {}}}\n", found, seconds,
               processor_seconds);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace tome

int main(int argc, char** argv) {
  try {
    return tome::Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "vector_search_bench: " << error.what() << '\n';
    return 1;
  }
}
