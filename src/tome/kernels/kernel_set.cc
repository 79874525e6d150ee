#include "tome/kernels/kernel_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "tome/base/error.h"
#include "tome/kernels/generic/generic.h"

namespace tome {

std::span<const KernelSet* const> AvailableKernelSets() {
  static constexpr std::array<const KernelSet*, 1> kSets{&generic::kKernels};
  return kSets;
}

const KernelSet& SelectKernelSet() {
  const auto sets = AvailableKernelSets();
  const char* forced = std::getenv("TOME_KERNELS");
  if (forced == nullptr || *forced == '\0') return *sets.front();
  std::vector<std::string_view> names;
  for (const KernelSet* set : sets) {
    if (set->name == forced) return *set;
    names.push_back(set->name);
  }
  throw Error(Code::kInvalidArgument,
              fmt::format("TOME_KERNELS={}: no such kernel set on this machine; it has: {}", forced,
                          fmt::join(names, ", ")));
}

}  // namespace tome
