// An Answer as the JSON object of `tome ask --json` (docs/command-line.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <string>

#include "tome/answer/answer.h"

namespace tome {

// Gives the words in which a door of the program shows a note and its advice.
using NoteWording = std::function<std::string(const Note&)>;

nlohmann::ordered_json AnswerToJson(const Answer& answer, const NoteWording& word);

// Returns the measured loss of a memory as JSON, or null where no loss was measured.
nlohmann::ordered_json ToJson(const std::optional<KvLoss>& loss);

}  // namespace tome
