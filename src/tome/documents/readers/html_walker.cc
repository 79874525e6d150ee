#include "tome/documents/readers/html_walker.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace tome {
namespace {

std::optional<int64_t> NumberOf(std::string_view text) {
  int32_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc()) return std::nullopt;
  return number;
}

bool IsSectioning(GumboTag tag) {
  return tag == GUMBO_TAG_ARTICLE || tag == GUMBO_TAG_MAIN || tag == GUMBO_TAG_SECTION;
}

bool IsList(GumboTag tag) {
  return tag == GUMBO_TAG_UL || tag == GUMBO_TAG_OL || tag == GUMBO_TAG_MENU ||
         tag == GUMBO_TAG_DIR;
}

bool IsCell(GumboTag tag) { return tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH; }

bool IsPreformatted(GumboTag tag) {
  return tag == GUMBO_TAG_PRE || tag == GUMBO_TAG_LISTING || tag == GUMBO_TAG_XMP ||
         tag == GUMBO_TAG_PLAINTEXT;
}

bool IsFootnoteMark(const GumboElement& element) {
  return element.tag == GUMBO_TAG_SUP && HasClass(element, "footnote-ref");
}

}  // namespace

void HtmlWalker::Walk(const HtmlTree& tree, const WorkControl& control) {
  struct Level {
    const GumboNode* node;
    unsigned next = 0;
  };
  std::vector<Level> path;
  if (Enter(tree.root())) path.push_back({&tree.root()});
  constexpr uint64_t kNodesBetweenChecks = 4096;
  for (uint64_t nodes = 1; !path.empty(); ++nodes) {
    if (nodes % kNodesBetweenChecks == 0) control.CheckStop();
    Level& level = path.back();
    const HtmlChildren children = ChildrenOf(*level.node);
    if (level.next == children.count) {
      Leave(*level.node);
      path.pop_back();
      continue;
    }
    const GumboNode* child = children.first[level.next++];
    if (child->type == GUMBO_NODE_ELEMENT) {
      if (Enter(*child)) path.push_back({child});
    } else if (child->type == GUMBO_NODE_TEXT || child->type == GUMBO_NODE_WHITESPACE ||
               child->type == GUMBO_NODE_CDATA) {
      blocks_.Text(child->v.text.text);
    }
  }
  blocks_.EndBlock();
}

bool HtmlWalker::IsLeftOut(const GumboNode& node) const {
  const GumboElement& element = node.v.element;
  if (IsHidden(element) || IsNoise(element)) return true;
  if (options_.keep_boilerplate) return false;
  if (element.tag == GUMBO_TAG_HEADER && survey_.title_headers.contains(&node)) return false;
  // In an article or section, <header> and <footer> belong to it; elsewhere they belong to the
  // page.
  const bool is_of_page = element.tag == GUMBO_TAG_HEADER || element.tag == GUMBO_TAG_FOOTER;
  return (is_of_page && sections_ == 0) || IsBoilerplate(element);
}

bool HtmlWalker::Enter(const GumboNode& node) {
  const GumboElement& element = node.v.element;
  const HtmlRole role = RoleOf(element);
  if (role == HtmlRole::kSkipped) {
    ReadControl(element);
    return false;
  }
  if (IsLeftOut(node)) return false;
  if (role == HtmlRole::kInline) {
    EnterInline(element);
    return true;
  }
  if (heading_ != nullptr) {
    blocks_.Text(" ");
  } else if (preformatted_ != nullptr) {
    blocks_.EndBlock();
  } else {
    EnterBlock(node);
  }
  return true;
}

// A task list shows its state by a check box that cannot be changed. Other controls are no text.
void HtmlWalker::ReadControl(const GumboElement& element) {
  if (element.tag == GUMBO_TAG_INPUT && AttributeOf(element, "type") == "checkbox" &&
      HasAttribute(element, "disabled")) {
    blocks_.Text(HasAttribute(element, "checked") ? "[x] " : "[ ] ");
  }
}

void HtmlWalker::EnterInline(const GumboElement& element) {
  if (element.tag == GUMBO_TAG_BR) {
    if (heading_ != nullptr) {
      blocks_.Text(" ");
    } else {
      blocks_.EndLine();
    }
  } else if (element.tag == GUMBO_TAG_IMG) {
    blocks_.Image(AttributeOf(element, "alt"));
  } else if (element.tag == GUMBO_TAG_Q) {
    blocks_.Text("“");
  } else if (IsFootnoteMark(element)) {
    blocks_.Text("[");
  }
}

void HtmlWalker::EnterBlock(const GumboNode& node) {
  const GumboElement& element = node.v.element;
  if (element.tag == GUMBO_TAG_TABLE) {
    blocks_.BeginTable();
    data_tables_.push_back(!survey_.layout_tables.contains(&node) && !expects_label_);
    return;
  }
  if (element.tag == GUMBO_TAG_TR && InDataTable()) return blocks_.BeginRow();
  if (IsCell(element.tag) && InDataTable()) return;
  blocks_.EndBlock();
  if (IsSectioning(element.tag)) ++sections_;
  if (IsAdmonition(element)) expects_label_ = true;
  if (HeadingLevel(element) > 0 || (element.tag == GUMBO_TAG_TH && expects_label_))
    heading_ = &node;
  if (IsPreformatted(element.tag)) {
    preformatted_ = &node;
    blocks_.BeginPreformatted();
  }
  if (IsList(element.tag)) {
    lists_.push_back({.ordered = element.tag == GUMBO_TAG_OL,
                      .number = NumberOf(AttributeOf(element, "start")).value_or(1)});
  }
  if (element.tag == GUMBO_TAG_LI) EnterItem(element);
}

void HtmlWalker::EnterItem(const GumboElement& element) {
  if (lists_.empty() || !lists_.back().ordered) return blocks_.Prefix("• ");
  List& list = lists_.back();
  list.number = NumberOf(AttributeOf(element, "value")).value_or(list.number);
  blocks_.Prefix(fmt::format("{}. ", list.number++));
}

void HtmlWalker::Leave(const GumboNode& node) {
  const GumboElement& element = node.v.element;
  if (RoleOf(element) == HtmlRole::kInline) {
    if (element.tag == GUMBO_TAG_Q) blocks_.Text("”");
    if (IsFootnoteMark(element)) blocks_.Text("]");
    return;
  }
  if (heading_ == &node) {
    heading_ = nullptr;
    if (expects_label_) {
      expects_label_ = false;
      blocks_.EndLabel();
    } else {
      blocks_.EndHeading(HeadingLevel(element) + options_.heading_offset);
    }
  } else if (preformatted_ == &node) {
    preformatted_ = nullptr;
    blocks_.EndPreformatted();
  } else if (heading_ != nullptr) {
    blocks_.Text(" ");
  } else if (preformatted_ != nullptr) {
    blocks_.EndBlock();
  } else {
    LeaveBlock(node);
  }
}

void HtmlWalker::LeaveBlock(const GumboNode& node) {
  const GumboElement& element = node.v.element;
  if (element.tag == GUMBO_TAG_TABLE) {
    blocks_.EndTable();
    if (!data_tables_.empty()) data_tables_.pop_back();
    return;
  }
  if (element.tag == GUMBO_TAG_TR && InDataTable()) return blocks_.EndRow();
  if (IsCell(element.tag) && InDataTable()) return blocks_.EndCell();
  blocks_.EndBlock();
  if (IsSectioning(element.tag)) --sections_;
  if (IsAdmonition(element)) expects_label_ = false;
  if (IsList(element.tag) && !lists_.empty()) lists_.pop_back();
  if (element.tag == GUMBO_TAG_LI) blocks_.DropPrefix();
}

}  // namespace tome
