// What commands that measure a model on a text share.
#pragma once

#include <string>
#include <vector>

#include "tome/generate/language_model.h"

namespace tome {

// The tokens of a text file, normalized. Errors name the file.
std::vector<TokenId> TokensOfFile(const LanguageModel& model, const std::string& path);

}  // namespace tome
