// How the commands print the use of sparse attention.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>

#include "tome/memory/memory.h"

namespace tome {

// Returns null where attention was exact.
inline nlohmann::ordered_json ToJson(const std::optional<SparseUse>& use) {
  if (!use) return nullptr;
  const auto share = [](const AttentionShare& of) {
    return nlohmann::ordered_json{{"density", of.density()},
                                  {"density_alone", of.density_alone()},
                                  {"mass", of.mass()},
                                  {"scored", of.scored()}};
  };
  return {{"blocks", share(use->blocks)}, {"single", share(use->single)}};
}

}  // namespace tome
