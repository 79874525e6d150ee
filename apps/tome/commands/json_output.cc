#include "commands/json_output.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tome {

void PrintJson(const nlohmann::ordered_json& object) {
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  fmt::print("{}\n", object.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, kReplace));
}

}  // namespace tome
