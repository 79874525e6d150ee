// UTF-8 text in which every byte is marked with its author: the template, or the documents and
// people.
//
// A prompt mixes both, and only the template may write control tokens (docs/chat-templates.md). A
// mark belongs to a byte, not to a whole string, so that text can be joined, cut, trimmed and
// replaced and each part keeps its mark. Marks are stored as runs: text of one origin costs one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

enum class Origin {
  kTemplate,  // written by the template itself, or one of its own words (bos_token, a role's name)
  kContent,   // written by a document, a person, a model or a tool, or in doubt
};

// Returns the origin of a value made from two others: kContent where one of them is kContent.
inline Origin Combine(Origin left, Origin right) { return left == Origin::kContent ? left : right; }

// A part of a text that has one origin.
struct PromptPiece {
  std::string text;
  Origin origin = Origin::kContent;

  bool operator==(const PromptPiece&) const = default;
};

class MarkedText {
 public:
  // A run holds the bytes from the end of the run before it (or 0) up to `end`. Runs are never
  // empty, and neighbours differ in origin.
  struct Run {
    size_t end = 0;
    Origin origin = Origin::kContent;
  };

  MarkedText() = default;
  MarkedText(std::string text, Origin origin);

  const std::string& text() const { return text_; }
  const std::vector<Run>& runs() const { return runs_; }
  size_t size() const { return text_.size(); }
  bool empty() const { return text_.empty(); }

  // Returns kContent where at least one byte is content, else (also for an empty text) kTemplate.
  Origin origin() const { return OriginOf(0, size()); }
  Origin OriginOf(size_t begin, size_t end) const;

  void Append(std::string_view text, Origin origin);
  void Append(const MarkedText& text) { Append(text, 0, text.size()); }
  // Appends the bytes [begin, end) of `text`, which must lie inside it. `text` may be this object.
  void Append(const MarkedText& text, size_t begin, size_t end);
  MarkedText Slice(size_t begin, size_t end) const;

  std::vector<PromptPiece> Pieces() const;

 private:
  // Returns the index of the run that holds the byte at `offset`, in O(log runs).
  size_t RunAt(size_t offset) const;

  std::string text_;
  std::vector<Run> runs_;
};

}  // namespace tome
