// The chat template of a checkpoint.
#pragma once

#include <memory>
#include <string>

#include "tome/formats/checkpoint.h"

namespace tome {

// Its source: GGUF's tokenizer.chat_template; beside safetensors chat_template.jinja, else
// "chat_template" of tokenizer_config.json (of several named ones "default"). Empty where there is
// none.
std::string ChatTemplateSource(const Checkpoint& checkpoint);

}  // namespace tome
