// Reads texts for the commands that measure a model on a text.
#pragma once

#include <string>
#include <vector>

#include "tome/generate/language_model.h"

namespace tome {

// Returns the tokens of a text file, which is normalized first. Errors name the file.
std::vector<TokenId> TokensOfFile(const LanguageModel& model, const std::string& path);

}  // namespace tome
