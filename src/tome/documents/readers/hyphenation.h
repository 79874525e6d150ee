// These functions repair words that a line end divided. The document itself is the evidence:
// "infor-" + "mation" is "information", but "well-" + "known" stays "well-known" in a document that
// writes "well-known" elsewhere and "wellknown" nowhere.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace tome {

// A Vocabulary holds the words of a document as they stand inside lines. ASCII letters count
// without case.
class Vocabulary {
 public:
  // Adds the words of one line. The last word is skipped if a hyphen ends it.
  void AddLine(std::string_view line);
  bool Contains(std::string_view word) const;

 private:
  std::unordered_set<std::string> words_;
};

// Appends `next`, the text of the following line, to `text`. It mends a divided word; otherwise it
// puts a space between the two where the scripts want one.
void JoinLine(const Vocabulary& vocabulary, std::string_view next, std::string& text);

// Does the same without appending `next`: takes a line-end hyphen off `text` if the divided word
// has no hyphen, and returns the text that belongs between the two (" " or "").
std::string_view MendLineEnd(const Vocabulary& vocabulary, std::string_view next,
                             std::string& text);

}  // namespace tome
