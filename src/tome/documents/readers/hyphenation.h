// Repairs words that a line end divided. The document itself is the evidence: "infor-" + "mation"
// is "information", but "well-" + "known" stays "well-known" in a document that writes so elsewhere
// and "wellknown" nowhere.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace tome {

// The words of a document, as they stand inside lines. ASCII letters count without case.
class Vocabulary {
 public:
  // Adds the words of one line; its last one is skipped if a hyphen ends it.
  void AddLine(std::string_view line);
  bool Contains(std::string_view word) const;

 private:
  std::unordered_set<std::string> words_;
};

// Appends `next`, the text of the following line, to `text`: mends a divided word, else puts the
// space between that the scripts want.
void JoinLine(const Vocabulary& vocabulary, std::string_view next, std::string& text);

// The same over a block that is already written: takes a line-end hyphen off `text` if `next` mends
// it, and gives what belongs between the two: " " or "".
std::string_view MendLineEnd(const Vocabulary& vocabulary, std::string_view next,
                             std::string& text);

}  // namespace tome
