// Measures the seconds to read a PDF with one thread and with all. The performance promise is at
// most 1.5 times the time of pdftotext on the same file with one thread. Compare in alternation:
//   build/release/bin/pdf_reader_bench FILE 5; time pdftotext FILE /dev/null
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "apps/tome-reader/pdf_reader.h"
#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/documents/limits.h"

namespace {

double Seconds(const std::string& bytes, int threads) {
  tome::ReadOptions options;
  options.threads = threads;
  const auto start = std::chrono::steady_clock::now();
  const tome::Document document = tome::ReadPdf(bytes, options);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return document.text.empty() ? 0 : elapsed.count();
}

// Returns the seconds of the whole pdftotext program, whose output is thrown away.
double PdftotextSeconds(const std::string& command) {
  const auto start = std::chrono::steady_clock::now();
  if (std::system(command.c_str()) != 0) return 0;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: {} FILE [RUNS]\n", argv[0]);
    return 2;
  }
  try {
    const tome::UniqueFd fd = tome::OpenForReading(argv[1]);
    const std::string bytes = tome::ReadAll(fd.get(), tome::kMaxInputBytes, argv[1]);
    const int runs = argc > 2 ? std::max(1, std::atoi(argv[2])) : 5;
    const int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    const std::string command = fmt::format("pdftotext '{}' /dev/null", argv[1]);
    std::vector<double> one;
    std::vector<double> all;
    std::vector<double> peer;
    for (int i = 0; i < runs; ++i) {  // in alternation, so that a busy machine affects all alike
      peer.push_back(PdftotextSeconds(command));
      one.push_back(Seconds(bytes, 1));
      all.push_back(Seconds(bytes, threads));
    }
    fmt::print("pdftotext           {:.3f} s\n", Median(peer));
    fmt::print("ReadPdf, 1 thread   {:.3f} s  ({:.2f} times pdftotext)\n", Median(one),
               Median(one) / Median(peer));
    fmt::print("ReadPdf, {} threads  {:.3f} s  ({:.2f} times faster)\n", threads, Median(all),
               Median(one) / Median(all));
  } catch (const tome::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
