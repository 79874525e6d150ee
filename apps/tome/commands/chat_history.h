// The questions of earlier chats, for the arrow keys of the next one. They are the lines of a file
// that its owner alone may read; the last 1,000 are kept.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tome {

// Chats that run at once share the file. Each one recalls the questions that the file held when it
// began. A failure to read or to keep a question is a note, and does not end the chat.
class ChatHistory {
 public:
  static constexpr size_t kMostLines = 1000;
  static constexpr size_t kMostLineBytes = 4096;  // longer questions are not kept

  explicit ChatHistory(std::filesystem::path file);

  // Returns the questions that the file held at the beginning, oldest first.
  const std::vector<std::string>& lines() const { return lines_; }

  void Add(const std::string& line);

 private:
  std::filesystem::path file_;
  std::vector<std::string> lines_;
  bool kept_ = true;  // false once reading or writing failed
};

}  // namespace tome
