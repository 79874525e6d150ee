#include "tome/answer/citing.h"

#include <utility>

namespace tome {

Citation Citer::Cite(DocumentId document, const TextSpan& span, double score) {
  Citation citation{.document_id = document,
                    .document = names_.Name(document),
                    .page = std::nullopt,
                    .page_label = {},
                    .section = std::nullopt,
                    .span = span,
                    .quote = library_.Text(document, span),
                    .score = score};
  if (auto page = library_.PageOf(document, span.begin)) {
    citation.page = page->number;
    citation.page_label = std::move(page->label);
  }
  auto [sections, is_new] = sections_.try_emplace(document);
  if (is_new) sections->second = library_.Sections(document);
  std::string path = SectionPathAt(sections->second, span.begin);
  if (!path.empty()) citation.section = std::move(path);
  return citation;
}

}  // namespace tome
