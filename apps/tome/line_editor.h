// Lines that a person types at a terminal, edited with the keys of Emacs (or, by ~/.editrc, of vi),
// with the lines before them at hand. On libedit; it draws on stdout and reads stdin.
#pragma once

#include <histedit.h>

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

namespace tome {

// One object a program: LC_CTYPE is set to UTF-8, which libedit draws by. Outside Next the terminal
// is as it was. One thread.
class LineEditor {
 public:
  // Whether both standard streams are a terminal on which lines can be redrawn.
  static bool CanEdit();

  // `history`: the lines of earlier, oldest first.
  LineEditor(std::string prompt, std::span<const std::string> history, std::stop_token stop);
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;
  ~LineEditor() = default;

  // Takes the terminal: from here on Ctrl-C is a key and no signal. Next does so too; a caller to
  // whom the signal means something else does it before that meaning ends, so that no moment is
  // left between.
  void Begin();

  // The next line without its end; nothing at the end of the input (Ctrl-D on an empty line).
  // Ctrl-C empties the line. Error(kCancelled) where it is empty already, and when stop is
  // requested; Error(kIo) when reading fails.
  std::optional<std::string> Next();

  // Adds a line to the history of this object.
  void Remember(const std::string& line);

 private:
  // Why reading of keys ended before the line did.
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
  int error_ = 0;  // of kFailed
  int columns_ = 0;
  int rows_ = 0;
};

}  // namespace tome
