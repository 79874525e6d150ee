// An Answer as the JSON object of `tome ask --json` (docs/command-line.md).
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tome/answer/answer.h"

namespace tome {

// How a door of the program words a note with its advice.
using NoteWording = std::function<std::string(const Note&)>;

nlohmann::ordered_json AnswerToJson(const Answer& answer, const NoteWording& word);

// What was measured of a memory's loss; null where nothing was.
nlohmann::ordered_json ToJson(const std::optional<KvLoss>& loss);

}  // namespace tome
