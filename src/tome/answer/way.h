// The ways of answering a question about documents.
#pragma once

#include <array>
#include <string_view>

#include "tome/models/model.h"

namespace tome {

// kContext is exact: the model attends to every token. kLinear reads every token as well, into a
// memory of recurrent layers, which is lossy and does not grow (but for what attention layers among
// them add).
enum class Way { kAuto, kQuotes, kContext, kLinear, kRetrieval };
inline constexpr std::array kWays{Way::kAuto, Way::kQuotes, Way::kContext, Way::kLinear,
                                  Way::kRetrieval};
std::string_view NameOf(Way way);

// Whether the model reads the documents from beginning to end: kContext and kLinear.
bool ReadsWholeDocuments(Way way);

// The way in which a model reads whole documents: kContext or kLinear.
Way WholeWayOf(const ModelFacts& facts);

}  // namespace tome
