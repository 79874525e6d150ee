// The questions of earlier chats, for the next one's arrow keys: a file of its owner's alone, a
// question a line, the last 1,000.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tome {

// Chats that run at once share the file; each knows what was there when it began. Nothing here is
// worth ending a chat for: what cannot be read or kept is a note.
class ChatHistory {
 public:
  static constexpr size_t kMostLines = 1000;
  static constexpr size_t kMostLineBytes = 4096;  // longer questions are not kept

  explicit ChatHistory(std::filesystem::path file);

  // Oldest first.
  const std::vector<std::string>& lines() const { return lines_; }

  void Add(const std::string& line);

 private:
  std::filesystem::path file_;
  std::vector<std::string> lines_;
  bool kept_ = true;  // until it fails once
};

}  // namespace tome
