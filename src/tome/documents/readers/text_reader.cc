#include "tome/documents/readers/text_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tome/base/error.h"
#include "tome/documents/limits.h"
#include "tome/documents/readers/chapter_lines.h"
#include "tome/documents/readers/decoded_file.h"
#include "tome/documents/readers/line_wrapping.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Text is normalized in pieces, so that the copies that normalization makes stay small beside the
// text.
constexpr size_t kPieceBytes = size_t{4} << 20;

// Returns where to cut `rest` so that the pieces normalize to the same text as the whole: after a
// line end or, in an endless line, before a character that composes with nothing before it.
size_t PieceSize(std::string_view rest) {
  if (rest.size() <= kPieceBytes) return rest.size();
  const size_t line_end = rest.substr(0, 2 * kPieceBytes).find('\n', kPieceBytes);
  if (line_end != std::string_view::npos) return line_end + 1;
  size_t cut = FloorToCodePoint(rest, kPieceBytes);
  for (uint64_t i = cut; i < std::min(rest.size(), 2 * kPieceBytes);) {
    const uint64_t before = i;
    const char32_t c = NextCodePoint(rest, i);
    const bool is_line_end = c == U'\n' && rest[before - 1] == '\r';
    if ((c < 0x80 && !is_line_end) || (c >= 0x3400 && c <= 0x9FFF)) return before;
  }
  return cut;
}

// Writes lines without white space at their ends. Any number of empty lines becomes one, and no
// empty line stands at either end of the text.
class LineWriter {
 public:
  explicit LineWriter(uint64_t expected_bytes) {
    text_.reserve(std::min(expected_bytes, kMaxTextBytes));
  }

  // `piece` may end in the middle of a line. The next piece then continues the line.
  void Write(std::string_view piece) {
    while (!piece.empty()) {
      const size_t end = std::min(piece.find('\n'), piece.size());
      AppendToLine(piece.substr(0, end));
      if (end == piece.size()) return;
      EndLine();
      piece.remove_prefix(end + 1);
    }
  }

  std::string Finish() && {
    EndLine();
    return std::move(text_);
  }

 private:
  void AppendToLine(std::string_view part) {
    if (part.empty()) return;
    if (!in_line_) {
      in_line_ = true;
      before_line_ = text_.size();
      if (!text_.empty()) text_.append(after_empty_line_ ? "\n\n" : "\n");
      line_begin_ = text_.size();
    }
    if (part.size() > kMaxTextBytes - std::min<uint64_t>(text_.size(), kMaxTextBytes)) {
      throw Error(Code::kOutOfMemory,
                  fmt::format("the text is larger than the limit of {} MiB; split the document",
                              kMaxTextBytes >> 20));
    }
    text_.append(part);
  }

  void EndLine() {
    if (in_line_) TrimLine();
    if (!in_line_ || text_.size() == line_begin_) {
      if (in_line_) text_.resize(before_line_);
      after_empty_line_ = true;
    } else {
      after_empty_line_ = false;
    }
    in_line_ = false;
  }

  void TrimLine() {
    while (text_.size() > line_begin_) {
      const std::string_view line = std::string_view(text_).substr(line_begin_);
      if (line.back() == ' ' || line.back() == '\t') {
        text_.pop_back();
      } else if (line.ends_with("\u00A0")) {
        text_.resize(text_.size() - 2);
      } else if (line.ends_with("\u3000")) {
        text_.resize(text_.size() - 3);
      } else {
        return;
      }
    }
  }

  std::string text_;
  bool in_line_ = false;
  bool after_empty_line_ = false;
  size_t before_line_ = 0;  // end of the text before the line ends that precede this line
  size_t line_begin_ = 0;
};

std::string TidyText(std::string_view utf8, const WorkControl& control) {
  LineWriter writer(utf8.size());
  for (size_t done = 0; done < utf8.size();) {
    control.CheckStop();
    control.Report("reading", done, utf8.size());
    const size_t size = PieceSize(utf8.substr(done));
    writer.Write(NormalizeText(utf8.substr(done, size)));
    done += size;
  }
  return std::move(writer).Finish();
}

}  // namespace

Document ReadText(std::string_view bytes, const ReadOptions& options) {
  DecodedFile file;
  DecodeFile(bytes, options, std::nullopt, file);
  Document document;
  document.format = "text";
  document.text = TidyText(file.utf8, options.control);
  if (document.text.empty()) throw Error(Code::kUnsupported, "the file holds no text");
  document.encoding = std::move(file.encoding);
  document.notes = std::move(file.notes);
  document.line_breaks = FindLineBreaks(document.text);
  document.sections = FindChapters(document.text, document.line_breaks);
  return document;
}

}  // namespace tome
