// HtmlTree is an HTML page as a tree, parsed by gumbo under limits that purpose-made input cannot
// escape.
//
// gumbo trusts its input. It destroys a tree recursively, and so overflows the stack on a million
// nested <div>, even while it parses, when <frameset> discards a body. It searches its stack of
// open elements for every tag, which is quadratic in the depth. It clones unclosed formatting
// elements without limit, so that a few KiB of "<p><b id=1>" become GiB. All three need deep trees
// or much memory.
//
// The tree is therefore built in an arena of our own. gumbo's allocation callback watches depth and
// memory while the parse runs and leaves the parse by longjmp. That costs nothing, because the
// arena owns every byte and is freed as a whole. The recursive destructor never runs.
#pragma once

#include <gumbo.h>

#include <memory>
#include <string_view>

#include "tome/base/progress.h"

namespace tome {

class HtmlTree {
 public:
  // Throws Error: kUnsupported past kMaxHtmlBytes or kMaxElementDepth, kOutOfMemory when the tree
  // grows out of proportion to its source, kCancelled on a stop request. `utf8` must outlive the
  // tree.
  HtmlTree(std::string_view utf8, const WorkControl& control);
  ~HtmlTree();
  HtmlTree(const HtmlTree&) = delete;
  HtmlTree& operator=(const HtmlTree&) = delete;

  // Returns the <html> element. No element of the tree is deeper than kMaxElementDepth.
  const GumboNode& root() const { return *root_; }

 private:
  class Parse;
  std::unique_ptr<Parse> parse_;
  const GumboNode* root_ = nullptr;
};

// HtmlChildren holds the children of an element or document; it is empty for any other node.
struct HtmlChildren {
  GumboNode* const* first = nullptr;
  unsigned count = 0;

  GumboNode* const* begin() const { return first; }
  GumboNode* const* end() const { return first + count; }
};
HtmlChildren ChildrenOf(const GumboNode& node);

}  // namespace tome
