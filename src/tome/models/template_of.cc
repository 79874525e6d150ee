#include "tome/models/template_of.h"

#include <nlohmann/json.hpp>

#include "tome/models/hf_config.h"

namespace tome {

std::string ChatTemplateSource(const Checkpoint& checkpoint) {
  if (checkpoint.container() == Container::kGguf) {
    return std::string(checkpoint.metadata().String("tokenizer.chat_template").value_or(""));
  }
  if (std::string file = checkpoint.SideFile("chat_template.jinja"); !file.empty()) return file;
  const std::string text = checkpoint.SideFile("tokenizer_config.json");
  if (text.empty()) return {};
  const HfConfig config = HfConfig::Parse(text);
  return config.NamedString("chat_template", "name", "default", "template").value_or("");
}

}  // namespace tome
