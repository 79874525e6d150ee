#include "tome/documents/readers/line_wrapping.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr size_t kPartBytes = size_t{64} << 10;
// A longer line is a paragraph of its own, because nothing wraps text that wide.
constexpr int64_t kMaxColumns = 200;
constexpr size_t kMinLines = 4;

// A Joint is a line that has another line below it in its block.
struct Joint {
  int64_t columns = 0;    // its width; a wide character counts two
  int64_t next_word = 0;  // width of the first word of the next line
  bool ends_in_mark = false;
};

bool IsWide(char32_t c) {
  return IsCjk(c) || (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFF60);
}

int64_t Columns(std::string_view line) {
  int64_t columns = 0;
  for (uint64_t i = 0; i < line.size() && columns <= 2 * kMaxColumns;) {
    columns += IsWide(NextCodePoint(line, i)) ? 2 : 1;
  }
  return columns;
}

// Returns the columns that the line before would need for the first word of `line`. Text without
// spaces may be broken after every character.
int64_t FirstWordColumns(std::string_view line) {
  uint64_t i = 0;
  int64_t columns = 0;
  while (i < line.size() && columns <= kMaxColumns) {
    const char32_t c = NextCodePoint(line, i);
    if (c == U' ') return columns + 1;  // with the space that would have joined the lines
    if (IsWide(c)) return std::max<int64_t>(columns, 2);
    ++columns;
  }
  return columns + 1;
}

bool EndsInMark(std::string_view line) {
  const uint64_t last = FloorToCodePoint(line, line.size() - 1);
  uint64_t i = last;
  const char32_t c = NextCodePoint(line, i);
  return std::u32string_view(U".,;:!?\"\u201D\u2019)。，；：！？、…」』）—").find(c) !=
         std::u32string_view::npos;
}

void CollectJoints(std::string_view part, std::vector<Joint>& joints) {
  std::string_view previous;
  while (!part.empty()) {
    const size_t end = std::min(part.find('\n'), part.size());
    const std::string_view line = part.substr(0, end);
    if (!previous.empty() && !line.empty()) {
      joints.push_back({Columns(previous), FirstWordColumns(line), EndsInMark(previous)});
    }
    previous = line;
    part.remove_prefix(std::min(end + 1, part.size()));
  }
}

// Returns whole lines of `text` around `begin`.
std::string_view PartAt(std::string_view text, size_t begin) {
  if (begin > 0) begin = std::min(text.find('\n', begin), text.size());
  std::string_view part = text.substr(begin, kPartBytes);
  if (part.size() == kPartBytes) part = part.substr(0, part.find_last_of('\n') + 1);
  return part;
}

}  // namespace

LineBreaks FindLineBreaks(std::string_view text) {
  std::vector<Joint> joints;
  if (text.size() <= 3 * kPartBytes) {
    CollectJoints(text, joints);
  } else {
    for (const size_t begin : {size_t{0}, text.size() / 2, text.size() - kPartBytes}) {
      CollectJoints(PartAt(text, begin), joints);
    }
  }
  if (joints.size() < kMinLines) return LineBreaks::kHard;
  // The width of wrapping is the ninth decile, because the widest line may be a table's.
  const auto ninth_decile = joints.begin() + static_cast<int64_t>(joints.size() * 9 / 10);
  std::nth_element(joints.begin(), ninth_decile, joints.end(),
                   [](const Joint& a, const Joint& b) { return a.columns < b.columns; });
  const int64_t width = ninth_decile->columns;
  if (width > kMaxColumns) return LineBreaks::kHard;
  size_t full = 0;
  size_t marked = 0;
  for (const Joint& joint : joints) {
    full += joint.columns + joint.next_word > width ? 1 : 0;
    marked += joint.ends_in_mark ? 1 : 0;
  }
  // Prose ends about one line in five at a mark by chance; verse and lists end most lines at one.
  const bool is_wrapped = full * 10 >= joints.size() * 7 && marked * 2 <= joints.size();
  return is_wrapped ? LineBreaks::kSoft : LineBreaks::kHard;
}

}  // namespace tome
