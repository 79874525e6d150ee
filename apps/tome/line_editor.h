// LineEditor reads lines that a person types at a terminal. They are edited with the keys of Emacs
// (or, by ~/.editrc, of vi), and earlier lines can be recalled. It uses libedit, draws on stdout
// and reads stdin.
#pragma once

#include <histedit.h>

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

namespace tome {

// A program has one object, since it sets LC_CTYPE to UTF-8, by which libedit draws. From Begin
// until Next returns the terminal is taken; otherwise it is as it was before. Only one thread may
// use it.
class LineEditor {
 public:
  // Returns whether stdin and stdout are a terminal on which lines can be redrawn.
  static bool CanEdit();

  // `history` holds the lines of earlier runs, oldest first.
  LineEditor(std::string prompt, std::span<const std::string> history, std::stop_token stop);
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;
  ~LineEditor() = default;

  // Takes the terminal: from here on Ctrl-C is a key and no signal. Next does so as well. A caller
  // for whom the signal has another meaning calls Begin before that meaning ends, so that Ctrl-C
  // has a defined meaning at every moment.
  void Begin();

  // Returns the next line without its line end. Empty at the end of the input (Ctrl-D on an empty
  // line). Ctrl-C empties the line. Throws Error(kCancelled) for Ctrl-C on an empty line and when a
  // stop is requested, and Error(kIo) where reading fails.
  std::optional<std::string> Next();

  // Adds a line to the history of this object.
  void Remember(const std::string& line);

 private:
  // Says why the reading of keys ended before the line did.
  enum class Ended { kNot, kInput, kInterrupted, kLineDropped, kFailed };

  struct EditLineEnd {
    void operator()(EditLine* editor) const { el_end(editor); }
  };
  struct HistoryEnd {
    void operator()(HistoryW* history) const { history_wend(history); }
  };

  static char* PromptOf(EditLine* editor);
  static int ReadKey(EditLine* editor, wchar_t* key);
  int ReadKey(wchar_t* key);
  std::optional<unsigned char> ReadByte();
  void MakeCtrlCAKey();
  void FollowTerminal();

  std::string prompt_;
  std::stop_token stop_;
  std::unique_ptr<HistoryW, HistoryEnd> history_;
  std::unique_ptr<EditLine, EditLineEnd> editor_;
  Ended ended_ = Ended::kNot;
  int error_ = 0;  // errno for kFailed
  int columns_ = 0;
  int rows_ = 0;
};

}  // namespace tome
