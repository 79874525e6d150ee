// Advice as JSON, for the pipe between the reader process and Tome.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "tome/base/advice.h"

namespace tome {

// An array of [kind, setting, value, effect, subject], kinds and settings as numbers: both ends of
// the pipe are of one build.
nlohmann::json AdviceToJson(const std::vector<Advice>& advice);

// The reverse. Error(kCorrupt) for kinds and settings that there are not; nlohmann's exceptions for
// other shapes.
std::vector<Advice> AdviceFromJson(const nlohmann::json& json);

}  // namespace tome
