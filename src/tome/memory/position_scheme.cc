#include "tome/memory/position_scheme.h"

#include <fmt/format.h>

namespace tome {

std::string_view NameOf(Longer longer) {
  switch (longer) {
    case Longer::kNone:
      return "none";
    case Longer::kDca:
      return "dca";
    case Longer::kYarn:
      break;
  }
  return "yarn";
}

std::optional<Longer> LongerFromName(std::string_view name) {
  for (const Longer longer : {Longer::kNone, Longer::kDca, Longer::kYarn}) {
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
