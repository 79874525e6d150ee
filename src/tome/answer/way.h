// The ways of answering a question about documents.
#pragma once

#include <array>
#include <string_view>

#include "tome/models/model.h"

namespace tome {

// kContext is exact: the model attends to every token. kLinear also reads every token, into a
// memory of recurrent layers. This memory is lossy and of constant size, except for the keys and
// values of attention layers among the recurrent ones.
// kSurvey reads the documents window by window and combines notes, for questions about the whole.
enum class Way { kAuto, kQuotes, kContext, kLinear, kRetrieval, kSurvey };
inline constexpr std::array kWays{Way::kAuto,   Way::kQuotes,    Way::kContext,
                                  Way::kLinear, Way::kRetrieval, Way::kSurvey};
std::string_view NameOf(Way way);

// Returns whether the model reads the documents from beginning to end: kContext and kLinear.
bool ReadsWholeDocuments(Way way);

// Returns the way in which a model reads whole documents: kContext or kLinear.
Way WholeWayOf(const ModelFacts& facts);

}  // namespace tome
