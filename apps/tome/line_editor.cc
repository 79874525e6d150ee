#include "line_editor.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr int kPollMs = 50;  // delay until a stop or a new size of the terminal is noticed
constexpr int kMostLines = 1000;
constexpr wchar_t kCtrlC = 3;
constexpr wchar_t kCtrlE = 5;  // moves to the end of the line

std::wstring Wide(const std::string& utf8) {
  std::wstring wide;
  for (uint64_t offset = 0; offset < utf8.size();) {
    wide += static_cast<wchar_t>(NextCodePoint(utf8, offset));
  }
  return wide;
}

std::string Utf8(std::wstring_view wide) {
  std::string utf8;
  for (const wchar_t c : wide) AppendUtf8(static_cast<char32_t>(c), utf8);
  return utf8;
}

// Returns the bytes of the UTF-8 sequence that `first` begins, and 1 where it cannot begin one.
size_t SequenceLength(unsigned char first) {
  if (first >= 0xF0 && first < 0xF8) return 4;
  if (first >= 0xE0) return first < 0xF0 ? 3 : 1;
  return first >= 0xC0 ? 2 : 1;
}

}  // namespace

bool LineEditor::CanEdit() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && term != nullptr &&
         *term != '\0' && std::string_view(term) != "dumb";
}

LineEditor::LineEditor(std::string prompt, std::span<const std::string> history,
                       std::stop_token stop)
    : prompt_(std::move(prompt)), stop_(std::move(stop)) {
  // Tome speaks UTF-8 whatever the locale says. The widths of characters come with this setting.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  history_.reset(history_winit());
  editor_.reset(el_init("tome", stdin, stdout, stderr));
  if (!history_ || !editor_) throw Error(Code::kIo, "the terminal cannot be set up for editing");
  HistEventW event;
  history_w(history_.get(), &event, H_SETSIZE, kMostLines);
  history_w(history_.get(), &event, H_SETUNIQUE, 1);
  for (const std::string& line : history) Remember(line);

  EditLine* editor = editor_.get();
  el_wset(editor, EL_CLIENTDATA, this);
  el_wset(editor, EL_HIST, history_w, history_.get());
  el_set(editor, EL_PROMPT, &LineEditor::PromptOf);
  el_wset(editor, EL_EDITOR, L"emacs");
  el_wset(editor, EL_GETCFN, static_cast<int (*)(EditLine*, wchar_t*)>(&LineEditor::ReadKey));
  for (const auto& [key, action] : std::array<std::pair<const char*, const char*>, 4>{{
           {"^R", "em-inc-search-prev"},
           {"^W", "ed-delete-prev-word"},
           {"\\e[1;5C", "em-next-word"},
           {"\\e[1;5D", "ed-prev-word"},
       }}) {
    el_set(editor, EL_BIND, key, action, nullptr);
  }
  el_source(editor, nullptr);  // ~/.editrc
}

char* LineEditor::PromptOf(EditLine* editor) {
  void* self = nullptr;
  el_wget(editor, EL_CLIENTDATA, &self);
  return static_cast<LineEditor*>(self)->prompt_.data();
}

int LineEditor::ReadKey(EditLine* editor, wchar_t* key) {
  void* self = nullptr;
  el_wget(editor, EL_CLIENTDATA, &self);
  return static_cast<LineEditor*>(self)->ReadKey(key);
}

void LineEditor::Begin() {
  // libedit prepares the terminal only after it has shown the prompt. Keys typed until then would
  // be read by the terminal's own rules: Ctrl-D would be lost, and Ctrl-C would be a signal.
  el_set(editor_.get(), EL_PREP_TERM, 1);
  MakeCtrlCAKey();
}

// Makes Ctrl-C a key again, since libedit restores its meaning as a signal with the other modes.
void LineEditor::MakeCtrlCAKey() {
  termios modes{};
  if (::tcgetattr(STDIN_FILENO, &modes) != 0 || modes.c_cc[VINTR] == _POSIX_VDISABLE) return;
  modes.c_cc[VINTR] = _POSIX_VDISABLE;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
}

// Adapts to changes of the terminal that libedit does not follow. It runs before each key, because
// a signal handler could not redraw safely.
void LineEditor::FollowTerminal() {
  termios modes{};
  if (::tcgetattr(STDIN_FILENO, &modes) == 0 && (modes.c_lflag & ICANON) != 0) {
    // After Ctrl-Z and `fg` the terminal is as the shell left it.
    el_set(editor_.get(), EL_PREP_TERM, 0);
    el_set(editor_.get(), EL_PREP_TERM, 1);
    el_set(editor_.get(), EL_REFRESH);
  }
  MakeCtrlCAKey();
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return;
  const bool known = columns_ != 0;
  const bool changed = size.ws_col != columns_ || size.ws_row != rows_;
  columns_ = size.ws_col;
  rows_ = size.ws_row;
  if (known && changed) el_resize(editor_.get());
}

// Returns the next byte of stdin. Empty where no more will come; `ended_` says why.
std::optional<unsigned char> LineEditor::ReadByte() {
  for (;;) {
    if (stop_.stop_requested()) {
      ended_ = Ended::kInterrupted;
      return std::nullopt;
    }
    FollowTerminal();
    pollfd ready{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const int count = ::poll(&ready, 1, kPollMs);
    if (count == 0 || (count < 0 && errno == EINTR)) continue;
    unsigned char byte = 0;
    const ssize_t size = ::read(STDIN_FILENO, &byte, 1);
    if (size == 1) return byte;
    if (size < 0 && errno == EINTR) continue;
    // EIO means that the terminal is gone.
    ended_ = size == 0 || errno == EIO ? Ended::kInput : Ended::kFailed;
    error_ = errno;
    return std::nullopt;
  }
}

int LineEditor::ReadKey(wchar_t* key) {
  if (ended_ == Ended::kLineDropped) return -1;
  std::string sequence;
  do {
    const auto byte = ReadByte();
    if (!byte) return -1;
    sequence += static_cast<char>(*byte);
  } while (sequence.size() < SequenceLength(static_cast<unsigned char>(sequence.front())));
  uint64_t offset = 0;
  *key = IsValidUtf8(sequence) ? static_cast<wchar_t>(NextCodePoint(sequence, offset)) : L'\uFFFD';
  if (*key != kCtrlC) return 1;
  const LineInfoW* line = el_wline(editor_.get());
  ended_ = line->lastchar == line->buffer ? Ended::kInterrupted : Ended::kLineDropped;
  if (ended_ == Ended::kInterrupted) return -1;
  // The cursor first goes to the end of the line, which may be rows below. The next output would
  // cover those rows otherwise.
  *key = kCtrlE;
  return 1;
}

std::optional<std::string> LineEditor::Next() {
  for (;;) {
    ended_ = Ended::kNot;
    int count = 0;
    Begin();
    const wchar_t* line = el_wgets(editor_.get(), &count);
    if (line != nullptr && count > 0) {
      std::wstring_view text(line, static_cast<size_t>(count));
      while (text.ends_with(L'\n') || text.ends_with(L'\r')) text.remove_suffix(1);
      return Utf8(text);
    }
    std::fputs(ended_ == Ended::kLineDropped ? "^C\n" : "\n", stdout);
    std::fflush(stdout);
    if (ended_ == Ended::kInterrupted) throw Error(Code::kCancelled, "interrupted");
    if (ended_ == Ended::kFailed) throw SystemError("standard input", error_);
    if (ended_ != Ended::kLineDropped) return std::nullopt;
  }
}

void LineEditor::Remember(const std::string& line) {
  HistEventW event;
  history_w(history_.get(), &event, H_ENTER, Wide(line).c_str());
}

}  // namespace tome
