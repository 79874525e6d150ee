// Output for a person: colours and progress on a terminal, plain lines elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tome/base/progress.h"

namespace tome {

enum class Style { kBold, kDim, kRed, kCyan };

// Returns `text` in a style where file descriptor `fd` is a terminal and NO_COLOR is not set, and
// plain otherwise.
std::string Styled(std::string_view text, Style style, int fd);

// Returns `text` without the control characters that a terminal would obey, because documents are
// data. Bytes that are not UTF-8 (a file's name may hold any) become U+FFFD.
std::string Printable(std::string_view text);

// Returns printable text on one line: line ends and tabs become spaces.
std::string PrintableLine(std::string_view text);

// Prints one line on stderr, "tome: MESSAGE". Where stderr cannot be written, the command goes on
// without the line.
void PrintNote(std::string_view message);
void PrintError(std::string_view message);

// Returns text wrapped to the terminal's width (80 columns elsewhere), with `indent` before every
// line. Wide characters count as two columns.
std::string Wrapped(std::string_view text, std::string_view indent);

// A progress bar is a line on stderr that shows how far the work is. It is rewritten in place and
// removed at the end. It is not shown where stderr is no terminal, nor for work that ends at once.
// A label that does not fit the terminal's line loses its beginning, because the end of a path
// tells most.
class ProgressBar {
 public:
  explicit ProgressBar(std::string_view label);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();

  // Returns the progress function for the work. It must not outlive the bar.
  ProgressFn Function();
  // Removes the bar, which is not shown again. The next output begins on a clean line.
  void Hide();

 private:
  void Show(std::string_view stage, uint64_t done, uint64_t total);

  std::string label_;
  bool enabled_;
  bool shown_ = false;
  int64_t started_ms_;
  int64_t last_ms_ = 0;
};

}  // namespace tome
