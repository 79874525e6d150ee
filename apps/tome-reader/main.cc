// tome-reader is the process that parses one untrusted file under limits. It is started by Tome
// (see src/tome/documents/reader_process.h for the protocol), not by people.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <exception>
#include <mutex>
#include <new>
#include <string>

#include "pdf_reader.h"
#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/documents/advice_json.h"
#include "tome/documents/document_codec.h"
#include "tome/documents/format.h"
#include "tome/documents/limits.h"
#include "tome/documents/reader_frames.h"
#include "tome/documents/readers/docx_reader.h"
#include "tome/documents/readers/epub_reader.h"
#include "tome/documents/readers/html_reader.h"
#include "tome/documents/readers/markdown_reader.h"
#include "tome/documents/readers/odt_reader.h"
#include "tome/documents/readers/text_reader.h"

namespace tome {
namespace {

// The system stops a worker that computes this long without end, whatever it reports.
constexpr rlim_t kMaxCpuSeconds = 3600;
// OCR of a page takes four for a moment, and as many pages are read at once as there are
// processors.
constexpr rlim_t kMaxOpenFiles = 1024;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // sanitizers reserve terabytes of address space
#else
constexpr bool kSanitized = false;
#endif

void Limit(int resource, rlim_t value) {
  const rlimit limit{.rlim_cur = value, .rlim_max = value};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) {
    throw SystemError("the reader's limits", errno);
  }
}

void ApplyLimits(uint64_t memory_bytes) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // the worker never outlives the Tome that started it
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!kSanitized) Limit(RLIMIT_AS, memory_bytes);
  Limit(RLIMIT_CPU, kMaxCpuSeconds);
  Limit(RLIMIT_NOFILE, kMaxOpenFiles);
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_FSIZE, 0);  // the worker writes no files
}

void WriteFrame(char kind, std::string_view payload) {
  WriteAll(STDOUT_FILENO, FrameHeader(kind, payload.size()), "the answer");
  WriteAll(STDOUT_FILENO, payload, "the answer");
}

// Writes progress frames, at most twenty a second. Several threads may call it.
class ProgressWriter {
 public:
  void operator()(std::string_view stage, uint64_t done, uint64_t total) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return;
    last_ = now;
    const nlohmann::json progress{{"stage", stage}, {"done", done}, {"total", total}};
    WriteFrame(kProgressFrame, progress.dump());
  }

 private:
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_{};  // guarded by mutex_
};

Document Read(std::string_view bytes, const std::string& name, const ReadOptions& options) {
  switch (DetectFormat(bytes, name)) {
    case Format::kText:
      return ReadText(bytes, options);
    case Format::kMarkdown:
      return ReadMarkdown(bytes, options);
    case Format::kHtml:
      return ReadHtml(bytes, options);
    case Format::kPdf:
      return ReadPdf(bytes, options);
    case Format::kEpub:
      return ReadEpub(bytes, options);
    case Format::kDocx:
      return ReadDocx(bytes, options);
    case Format::kOdt:
      return ReadOdt(bytes, options);
  }
  throw Error(Code::kUnsupported, "is of an unknown format");
}

void WriteError(const Error& failure) {
  const nlohmann::json error{{"code", CodeName(failure.code())},
                             {"message", failure.what()},
                             {"advice", AdviceToJson(failure.advice())}};
  WriteFrame(kErrorFrame, error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

int Main(int argc, char** argv) {
  CLI::App app("Parses the document on standard input for Tome; not meant to be run by hand");
  std::string name;
  ReadOptions options;
  uint64_t memory_bytes = 0;
  app.add_option("--name", name, "the file's name");
  app.add_option("--encoding", options.encoding, "of its text");
  app.add_flag("--ocr", options.ocr, "recognise scanned pages");
  app.add_option("--threads", options.threads, "to read pages with")->check(CLI::Range(1, 256));
  app.add_option("--memory-bytes", memory_bytes, "limit of address space")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    ApplyLimits(memory_bytes);
    const std::string bytes = ReadAll(STDIN_FILENO, kMaxInputBytes, "the file");
    if (bytes.empty()) throw Error(Code::kUnsupported, "is empty");
    ProgressWriter progress;
    options.control.progress = std::ref(progress);
    WriteFrame(kDocumentFrame, EncodeDocument(Read(bytes, name, options)));
  } catch (const Error& error) {
    WriteError(error);
  } catch (const std::bad_alloc&) {
    WriteError(
        {Code::kOutOfMemory, fmt::format("needs more than {} MiB to be read", memory_bytes >> 20)});
  }
  return 0;
}

}  // namespace
}  // namespace tome

int main(int argc, char** argv) {
  // An exception that gets here is neither an Error nor a lack of memory.
  try {
    return tome::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "tome-reader: {}\n", error.what());
    return 1;
  }
}
