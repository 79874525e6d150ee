#include "tome/answer/way.h"

namespace tome {

std::string_view NameOf(Way way) {
  switch (way) {
    case Way::kAuto:
      return "auto";
    case Way::kQuotes:
      return "quotes";
    case Way::kContext:
      return "context";
    case Way::kLinear:
      return "linear";
    case Way::kRetrieval:
      return "retrieval";
    case Way::kSurvey:
      return "survey";
  }
  return "";
}

bool ReadsWholeDocuments(Way way) { return way == Way::kContext || way == Way::kLinear; }

Way WholeWayOf(const ModelFacts& facts) {
  return facts.has_recurrent() ? Way::kLinear : Way::kContext;
}

}  // namespace tome
