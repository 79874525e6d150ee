// What the command line shows to a person: colours and progress on a terminal, plain lines
// elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tome/base/progress.h"

namespace tome {

enum class Style { kBold, kDim, kRed, kCyan };

// `text` in a style if file descriptor `fd` is a terminal and NO_COLOR is not set.
std::string Styled(std::string_view text, Style style, int fd);

// `text` without the control characters a terminal would obey: documents are data. Bytes that are
// not UTF-8 (a file's name may hold any) become U+FFFD.
std::string Printable(std::string_view text);

// Printable text on one line: line ends and tabs become spaces.
std::string PrintableLine(std::string_view text);

// One line on stderr, "tome: MESSAGE". Where stderr cannot be written there is nobody to tell, and
// the command goes on.
void PrintNote(std::string_view message);
void PrintError(std::string_view message);

// Text wrapped to the terminal's width (80 columns elsewhere), every line begun with `indent`. Wide
// characters count two columns.
std::string Wrapped(std::string_view text, std::string_view indent);

// A line on stderr that shows how far work is, rewritten in place, gone at the end. Shows nothing
// where stderr is no terminal, and nothing for work that ends at once. A label that does not fit
// the terminal's line loses its beginning: of a path the end tells most.
class ProgressBar {
 public:
  explicit ProgressBar(std::string_view label);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();

  // The function to hand to the work; it must not outlive the bar.
  ProgressFn Function();
  // Takes the bar off the screen for good: what is printed next begins on a clean line.
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
