// Recognises questions about the whole of a document ("Summarise this", "List every ship", "How
// often is the lamp mentioned?"). No single passage answers them, so they are answered by a survey
// (survey.h). The rules are a table of phrases, in English and Chinese (traditional and simplified
// characters alike). They prefer to miss such a question rather than to take a question about one
// fact for one: "How often should I water it?" asks for a fact that one place states.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tome {

enum class WholeKind {
  kSummary,  // what the text says as a whole
  kList,     // all places or things of a kind
  kCount,    // how many times something happens or is mentioned
};
std::string_view NameOf(WholeKind kind);  // "summary", "list", "count"

struct WholeQuestion {
  WholeKind kind = WholeKind::kSummary;
  // kCount: the words whose occurrences in the text are asked for, as the question writes them.
  // They can be counted without a model. Empty where the question counts something else.
  std::string literal = {};

  friend bool operator==(const WholeQuestion&, const WholeQuestion&) = default;
};

// Returns what a question asks of the whole, or no value for any other question. A question about
// one chapter, section or page is not about the whole. `question` is well-formed UTF-8.
std::optional<WholeQuestion> RecogniseWholeQuestion(std::string_view question);

}  // namespace tome
