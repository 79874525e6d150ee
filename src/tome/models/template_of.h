// ChatTemplateSource finds the chat template of a checkpoint.
#pragma once

#include <memory>
#include <string>

#include "tome/formats/checkpoint.h"

namespace tome {

// Returns the template's source: in GGUF tokenizer.chat_template; beside safetensors the file
// chat_template.jinja, else "chat_template" of tokenizer_config.json (of several named templates,
// "default"). Empty where the checkpoint has no template.
std::string ChatTemplateSource(const Checkpoint& checkpoint);

}  // namespace tome
