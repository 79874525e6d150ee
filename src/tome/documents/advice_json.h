// AdviceToJson and AdviceFromJson carry advice over the pipe between the reader process and Tome.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <vector>

#include "tome/base/advice.h"

namespace tome {

// Returns an array of [kind, setting, value, effect, subject]. Kinds and settings are numbers,
// because both ends of the pipe are of one build.
nlohmann::json AdviceToJson(const std::vector<Advice>& advice);

// Reverses AdviceToJson. Throws Error(kCorrupt) for unknown kinds and settings, and nlohmann's
// exceptions for other shapes.
std::vector<Advice> AdviceFromJson(const nlohmann::json& json);

}  // namespace tome
