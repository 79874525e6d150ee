#include "tome/text/chat_template.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "tome/base/error.h"
#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/json_values.h"
#include "tome/text/jinja/value.h"

namespace tome {
namespace {

using Json = nlohmann::ordered_json;
using jinja::Heap;
using jinja::Value;

// Returns roughly the bytes of the texts in `json`, down to the depth that is accepted.
uint64_t InputBytes(const Json& json, int depth = 0) {
  if (json.is_string()) return json.get_ref<const std::string&>().size();
  uint64_t bytes = 16;
  if (depth > jinja::kMaxValueDepth) return bytes;
  for (const Json& item : json) bytes += InputBytes(item, depth + 1);
  return bytes;
}

void RequireMessages(const Json& messages) {
  if (!messages.is_array()) {
    throw Error(Code::kInvalidArgument, "messages must be a JSON array of objects");
  }
  for (const Json& message : messages) {
    const auto role = message.is_object() ? message.find("role") : message.end();
    if (!message.is_object() || role == message.end() || !role->is_string()) {
      throw Error(Code::kInvalidArgument,
                  "each message must be an object with a 'role' that is a string");
    }
  }
}

// Returns the messages as content, except for the roles of kRoles, which are template text.
Value Messages(Heap& heap, const Json& json) {
  const Value messages = jinja::FromJson(heap, json, Origin::kContent);
  for (const Value& message : messages.list()->items) {
    const std::string& role = message.dict()->Find("role")->text()->text();
    if (std::find(kRoles.begin(), kRoles.end(), role) != kRoles.end()) {
      heap.Set(*message.dict(), "role", heap.NewText(role, Origin::kTemplate));
    }
  }
  return messages;
}

}  // namespace

ChatTemplate::ChatTemplate(std::string_view source, std::string bos_token, std::string eos_token)
    : template_(source),
      asks_for_date_(source.find("strftime_now") != std::string_view::npos),
      bos_token_(std::move(bos_token)),
      eos_token_(std::move(eos_token)) {}

MarkedText ChatTemplate::RenderMarked(const Json& messages, const Options& options) const {
  RequireMessages(messages);
  if (options.tools != nullptr && !options.tools->is_array()) {
    throw Error(Code::kInvalidArgument, "tools must be a JSON array");
  }
  if (options.variables != nullptr && !options.variables->is_object()) {
    throw Error(Code::kInvalidArgument, "variables must be a JSON object");
  }
  uint64_t input_bytes = InputBytes(messages);
  if (options.tools != nullptr) input_bytes += InputBytes(*options.tools);
  if (options.variables != nullptr) input_bytes += InputBytes(*options.variables);
  Heap heap(options.limits.value_or(jinja::Limits::ForInput(input_bytes)));

  jinja::Variables variables;
  variables.emplace_back("messages", Messages(heap, messages));
  variables.emplace_back("add_generation_prompt",
                         Value(options.generation_prompt == GenerationPrompt::kAdd));
  // `tools` is defined even where it is none: templates ask `tools is not none` as well as `if
  // tools`.
  variables.emplace_back("tools", options.tools == nullptr
                                      ? Value(jinja::None{})
                                      : jinja::FromJson(heap, *options.tools, Origin::kContent));
  variables.emplace_back("documents", Value(jinja::None{}));
  if (options.variables != nullptr) {
    for (const auto& [name, value] : options.variables->items()) {
      variables.emplace_back(name, jinja::FromJson(heap, value, Origin::kContent));
    }
  }
  variables.emplace_back("bos_token", heap.NewText(bos_token_, Origin::kTemplate));
  variables.emplace_back("eos_token", heap.NewText(eos_token_, Origin::kTemplate));
  return template_.Render(heap, variables, {.now = options.now, .no_date = options.no_date});
}

std::vector<PromptPiece> ChatTemplate::Render(const Json& messages, const Options& options) const {
  return RenderMarked(messages, options).Pieces();
}

std::string ChatTemplate::RenderText(const Json& messages, const Options& options) const {
  return RenderMarked(messages, options).text();
}

}  // namespace tome
