#include "terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unicode/uchar.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr int64_t kSilentMs = 300;  // work shorter than this shows no bar
constexpr int64_t kRedrawMs = 80;
constexpr int kBarColumns = 30;
constexpr int kStageColumns = 12;  // "recognising"

bool IsTerminal(int fd) { return ::isatty(fd) == 1; }

bool NoColor() {
  const char* value = std::getenv("NO_COLOR");
  return value != nullptr && *value != '\0';
}

int64_t NowMs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

int ColumnsOf(char32_t c) {
  const auto code_point = static_cast<UChar32>(c);
  if (u_charType(code_point) == U_NON_SPACING_MARK) return 0;
  const int width = u_getIntPropertyValue(code_point, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

int TerminalColumns(int fd) {
  winsize size{};
  const bool known = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
  return known ? std::min<int>(size.ws_col, 100) : 80;
}

int ColumnsOf(std::string_view text) {
  int columns = 0;
  for (uint64_t offset = 0; offset < text.size();)
    columns += ColumnsOf(NextCodePoint(text, offset));
  return columns;
}

// Returns the longest end of `text` that takes at most `columns`.
std::string_view EndThatFits(std::string_view text, int columns) {
  int left = ColumnsOf(text);
  uint64_t begin = 0;
  while (left > columns) left -= ColumnsOf(NextCodePoint(text, begin));
  return text.substr(begin);
}

// Does not use fmt::print, which throws where a stream cannot be written.
void WriteToStderr(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace

std::string Styled(std::string_view text, Style style, int fd) {
  if (!IsTerminal(fd) || NoColor()) return std::string(text);
  const std::string_view code = style == Style::kBold  ? "1"
                                : style == Style::kDim ? "2"
                                : style == Style::kRed ? "31"
                                                       : "36";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string Printable(std::string_view text) {
  std::string out;
  uint64_t offset = 0;
  while (offset < text.size()) {
    const uint64_t begin = offset;
    const char32_t c = NextCodePoint(text, offset);
    const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
    // Overrides of the writing direction could make a terminal show an order other than the text's.
    const bool direction = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    if (c == 0xFFFD) {
      out += "\uFFFD";
    } else if (!control && !direction) {
      out.append(text, begin, offset - begin);
    }
  }
  return out;
}

std::string PrintableLine(std::string_view text) {
  std::string line = Printable(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

void PrintNote(std::string_view message) {
  WriteToStderr(fmt::format("tome: {}\n", PrintableLine(message)));
}

void PrintError(std::string_view message) {
  WriteToStderr(
      fmt::format("{} {}\n", Styled("tome:", Style::kRed, STDERR_FILENO), PrintableLine(message)));
}

std::string Wrapped(std::string_view text, std::string_view indent) {
  const int width = std::max(20, TerminalColumns(STDOUT_FILENO) - static_cast<int>(indent.size()));
  std::string out;
  std::string line;
  int columns = 0;
  size_t last_break = 0;  // in `line`, after the last place where it may be cut
  int columns_at_break = 0;
  const auto flush = [&](size_t end) {
    std::string_view part = std::string_view(line).substr(0, end);
    while (part.ends_with(' ')) part.remove_suffix(1);
    out += fmt::format("{}{}\n", indent, part);
    line.erase(0, end);
    last_break = 0;
  };
  uint64_t offset = 0;
  while (offset < text.size()) {
    const uint64_t begin = offset;
    const char32_t c = NextCodePoint(text, offset);
    if (c == '\n') {
      flush(line.size());
      columns = 0;
      continue;
    }
    line.append(text, begin, offset - begin);
    columns += ColumnsOf(c);
    if (columns > width && last_break > 0) {
      flush(last_break);
      columns -= columns_at_break;
    }
    if (c == ' ' || IsCjk(c) || (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFF60)) {
      last_break = line.size();
      columns_at_break = columns;
    }
  }
  if (!line.empty()) flush(line.size());
  return out;
}

ProgressBar::ProgressBar(std::string_view label)
    : label_(PrintableLine(label)), enabled_(IsTerminal(STDERR_FILENO)), started_ms_(NowMs()) {}

ProgressBar::~ProgressBar() { Hide(); }

void ProgressBar::Hide() {
  if (shown_) WriteToStderr("\r\x1b[K");
  shown_ = false;
  enabled_ = false;
}

ProgressFn ProgressBar::Function() {
  if (!enabled_) return {};
  return
      [this](std::string_view stage, uint64_t done, uint64_t total) { Show(stage, done, total); };
}

void ProgressBar::Show(std::string_view stage, uint64_t done, uint64_t total) {
  if (!enabled_) return;
  const int64_t now = NowMs();
  if (now - started_ms_ < kSilentMs || now - last_ms_ < kRedrawMs) return;
  last_ms_ = now;
  shown_ = true;
  // These are " stage", " [", "]", " 100%", and a column that stays free so that the line does not
  // wrap.
  constexpr int kOtherColumns = 1 + kStageColumns + 2 + kBarColumns + 1 + 5 + 1;
  const int columns = std::max(8, TerminalColumns(STDERR_FILENO) - kOtherColumns);
  const std::string head = fmt::format("\r\x1b[K{} {}", EndThatFits(label_, columns),
                                       EndThatFits(PrintableLine(stage), kStageColumns));
  if (total == 0) {
    WriteToStderr(head);
    return;
  }
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const int filled = static_cast<int>(share * kBarColumns);
  WriteToStderr(fmt::format("{} [{:#<{}}{:-<{}}] {:3.0f}%", head, "", filled, "",
                            kBarColumns - filled, share * 100));
}

}  // namespace tome
