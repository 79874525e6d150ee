// An Answer as the JSON object of `tome ask --json` (docs/command-line.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tome/answer/answer.h"

namespace tome {

nlohmann::ordered_json AnswerToJson(const Answer& answer);

// What was measured of a memory's loss; null where nothing was.
nlohmann::ordered_json ToJson(const std::optional<KvLoss>& loss);

}  // namespace tome
