// A replacement for tome-reader, without limits and formats: it answers the content of the file as
// a document. It appends one byte to the file that TOME_TEST_READS names, so that a test can count
// how often a file was read.
//
// In the content, a line "# TITLE" becomes a heading, "---" begins a page, and every other line is
// a paragraph. Content that begins with "FAIL" gives an error, and content that begins with "CRASH"
// a crash.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tome/base/file.h"
#include "tome/documents/document_builder.h"
#include "tome/documents/document_codec.h"
#include "tome/documents/reader_frames.h"

namespace tome {
namespace {

Document DocumentOf(std::string_view content) {
  DocumentBuilder builder("text");
  builder.SetEncoding("UTF-8");
  builder.SetTitle("An echo");
  builder.AddNote("read by echo");
  int pages = 0;
  while (!content.empty()) {
    const size_t end = std::min(content.find('\n'), content.size());
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    if (line == "---") {
      builder.BeginPage("p" + std::to_string(++pages));
    } else if (line.starts_with("# ")) {
      builder.Heading(1, line.substr(2));
    } else if (line.starts_with("## ")) {
      builder.Heading(2, line.substr(3));
    } else {
      builder.Paragraph(line);
    }
  }
  return std::move(builder).Finish();
}

void Answer(char kind, std::string_view payload) {
  WriteAll(STDOUT_FILENO, FrameHeader(kind, payload.size()), "answer");
  WriteAll(STDOUT_FILENO, payload, "answer");
}

}  // namespace
}  // namespace tome

int main() {
  using namespace tome;
  const std::string content = ReadAll(STDIN_FILENO, uint64_t{1} << 30, "input");
  if (const char* reads = std::getenv("TOME_TEST_READS")) {
    const UniqueFd fd(::open(reads, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    WriteAll(fd.get(), "x", "count");
  }
  if (content.starts_with("CRASH")) ::raise(SIGSEGV);
  if (content.starts_with("FAIL")) {
    Answer(kErrorFrame, R"({"code":"corrupt","message":"is damaged"})");
  } else {
    Answer(kDocumentFrame, EncodeDocument(DocumentOf(content)));
  }
}
