#include "tome/documents/readers/html_survey.h"

#include <string_view>
#include <vector>

#include "tome/documents/readers/html_elements.h"

namespace tome {
namespace {

constexpr int kManyParagraphs = 4;

struct OpenTable {
  const GumboNode* node;
  bool has_columns = false;
  int paragraphs = 0;  // of the current cell
};

class Surveyor {
 public:
  HtmlSurvey Survey(const GumboNode& root) {
    struct Level {
      const GumboNode* node;
      unsigned next = 0;
    };
    std::vector<Level> path = {{&root}};
    Enter(root);
    while (!path.empty()) {
      Level& level = path.back();
      const HtmlChildren children = ChildrenOf(*level.node);
      if (level.next == children.count) {
        Leave(*level.node);
        path.pop_back();
        continue;
      }
      const GumboNode* child = children.first[level.next++];
      if (child->type != GUMBO_NODE_ELEMENT) continue;
      Enter(*child);
      path.push_back({child});
    }
    return std::move(survey_);
  }

 private:
  void Enter(const GumboNode& node) {
    const GumboElement& element = node.v.element;
    const int heading = HeadingLevel(element);
    if (heading == 1) survey_.title_headers.insert(headers_.begin(), headers_.end());
    if (element.tag == GUMBO_TAG_HEADER) headers_.push_back(&node);
    if (element.tag == GUMBO_TAG_TITLE) ReadTitle(node);
    if (!tables_.empty()) EnterInTable(element, heading);
    if (element.tag == GUMBO_TAG_TABLE) {
      tables_.push_back({&node});
      if (AttributeOf(element, "role") == "presentation") survey_.layout_tables.insert(&node);
    }
  }

  void EnterInTable(const GumboElement& element, int heading) {
    OpenTable& table = tables_.back();
    bool is_layout = heading > 0 || element.tag == GUMBO_TAG_TABLE || element.tag == GUMBO_TAG_PRE;
    if (element.tag == GUMBO_TAG_TD || element.tag == GUMBO_TAG_TH) table.paragraphs = 0;
    if (element.tag == GUMBO_TAG_P) is_layout |= ++table.paragraphs >= kManyParagraphs;
    if (element.tag == GUMBO_TAG_TR) {
      unsigned cells = 0;
      for (unsigned i = 0; i < element.children.length; ++i) {
        const auto* child = static_cast<const GumboNode*>(element.children.data[i]);
        cells += child->type == GUMBO_NODE_ELEMENT ? 1 : 0;
      }
      table.has_columns |= cells > 1;
    }
    if (is_layout) survey_.layout_tables.insert(table.node);
  }

  void Leave(const GumboNode& node) {
    if (!headers_.empty() && headers_.back() == &node) headers_.pop_back();
    if (tables_.empty() || tables_.back().node != &node) return;
    if (!tables_.back().has_columns) survey_.layout_tables.insert(&node);
    tables_.pop_back();
  }

  void ReadTitle(const GumboNode& node) {
    if (!survey_.title.empty() || node.v.element.tag_namespace != GUMBO_NAMESPACE_HTML) return;
    for (const GumboNode* child : ChildrenOf(node)) {
      if (child->type == GUMBO_NODE_TEXT) survey_.title += child->v.text.text;
    }
  }

  HtmlSurvey survey_;
  std::vector<const GumboNode*> headers_;
  std::vector<OpenTable> tables_;
};

}  // namespace

HtmlSurvey SurveyHtml(const HtmlTree& tree) { return Surveyor().Survey(tree.root()); }

}  // namespace tome
