// HtmlWalker walks an HTML tree in reading order and tells HtmlBlocks what it finds.
#pragma once

#include <cstdint>
#include <vector>

#include "tome/documents/readers/html_blocks.h"
#include "tome/documents/readers/html_elements.h"
#include "tome/documents/readers/html_reader.h"
#include "tome/documents/readers/html_survey.h"
#include "tome/documents/readers/html_tree.h"

namespace tome {

// An HtmlWalker does one walk. It keeps a stack of its own and never recurses.
class HtmlWalker {
 public:
  HtmlWalker(const HtmlSurvey& survey, const HtmlFragmentOptions& options, HtmlBlocks& blocks)
      : survey_(survey), options_(options), blocks_(blocks) {}

  void Walk(const HtmlTree& tree, const WorkControl& control);

 private:
  struct List {
    bool ordered;
    int64_t number;  // of the next item
  };

  // Returns false for an element whose content is not read; then Leave is not called.
  bool Enter(const GumboNode& node);
  void Leave(const GumboNode& node);
  bool IsLeftOut(const GumboNode& node) const;
  void EnterInline(const GumboElement& element);
  void EnterBlock(const GumboNode& node);
  void EnterItem(const GumboElement& element);
  void LeaveBlock(const GumboNode& node);
  void ReadControl(const GumboElement& element);
  bool InDataTable() const { return !data_tables_.empty() && data_tables_.back(); }

  const HtmlSurvey& survey_;
  const HtmlFragmentOptions& options_;
  HtmlBlocks& blocks_;
  std::vector<List> lists_;
  std::vector<bool> data_tables_;            // for each open table, whether it is read row by row
  const GumboNode* heading_ = nullptr;       // the heading or label that is open
  const GumboNode* preformatted_ = nullptr;  // the outermost open <pre>
  int sections_ = 0;                         // number of open <article>, <main> and <section>
  bool expects_label_ = false;               // in an admonition before its label
};

}  // namespace tome
