#include "tome/memory/position_scheme.h"

#include <fmt/format.h>

namespace tome {

std::string_view NameOf(ContextExtension longer) {
  switch (longer) {
    case ContextExtension::kNone:
      return "none";
    case ContextExtension::kDca:
      return "dca";
    case ContextExtension::kYarn:
      break;
  }
  return "yarn";
}

std::optional<ContextExtension> ContextExtensionFromName(std::string_view name) {
  for (const ContextExtension longer :
       {ContextExtension::kNone, ContextExtension::kDca, ContextExtension::kYarn}) {
    if (NameOf(longer) == name) return longer;
  }
  return std::nullopt;
}

std::string PositionScheme::ToString() const {
  std::string text;
  if (yarn_factor > 0) text += fmt::format("yarn {} {}", yarn_factor, yarn_tokens);
  if (chunks) text += fmt::format("dca {} {} {}", chunks->chunk, chunks->limit, chunks->trained);
  if (streaming) text += fmt::format("streaming {} {}", streaming->sinks, streaming->window);
  return text;
}

}  // namespace tome
