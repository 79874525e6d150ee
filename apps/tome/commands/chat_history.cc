#include "commands/chat_history.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "terminal.h"
#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/base/new_file.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr uint64_t kMaxBytes = (ChatHistory::kMostLineBytes + 1) * ChatHistory::kMostLines;

bool IsKept(std::string_view line) {
  if (line.empty() || line.size() > ChatHistory::kMostLineBytes || !IsValidUtf8(line)) return false;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) return false;
  }
  return true;
}

// Returns the lines of the file. Lines that Tome would not have written are left out.
std::vector<std::string> ReadLines(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error) return lines;
  const std::string text = ReadAll(OpenForReading(file).get(), kMaxBytes, file.string());
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (IsKept(line)) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

void WriteLines(const std::filesystem::path& file, const std::vector<std::string>& lines) {
  NewFile written(file, FileAccess::kOwnerOnly);
  for (const std::string& line : lines) written.Write(line + "\n");
  written.Commit();
}

}  // namespace

ChatHistory::ChatHistory(std::filesystem::path file) : file_(std::move(file)) {
  try {
    lines_ = ReadLines(file_);
  } catch (const Error& error) {
    kept_ = false;  // the file is not overwritten
    PrintNote(fmt::format("note: questions are not kept: {}", error.what()));
  }
}

void ChatHistory::Add(const std::string& line) {
  if (!kept_ || !IsKept(line)) return;
  try {
    // The lock is on the folder, because each question replaces the file by a new one.
    const UniqueFd lock(::open(file_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock.valid() || ::flock(lock.get(), LOCK_EX) != 0) {
      throw SystemError(file_.parent_path().string(), errno);
    }
    std::vector<std::string> lines = ReadLines(file_);
    if (!lines.empty() && lines.back() == line) return;
    lines.push_back(line);
    if (lines.size() > kMostLines) {
      lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMostLines));
    }
    WriteLines(file_, lines);
  } catch (const Error& error) {
    kept_ = false;
    PrintNote(fmt::format("note: questions are not kept: {}", error.what()));
  }
}

}  // namespace tome
