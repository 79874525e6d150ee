#include "tome/kernels/kernel_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tome/base/error.h"
#include "tome/kernels/generic/generic.h"

#if defined(TOME_X86_KERNELS)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace tome {

#if defined(TOME_X86_KERNELS)
namespace avx2 {
extern const KernelSet kKernels;
}
namespace avx512 {
extern const KernelSet kKernels;
}
namespace avx512_vnni {
extern const KernelSet kKernels;
}
namespace avx512_bf16 {
extern const KernelSet kKernels;
}
namespace amx {
extern const KernelSet kKernels;
}
#endif

namespace {

#if defined(TOME_X86_KERNELS)

// Asks Linux for permission to use the eight kilobytes of tile registers and returns whether it was
// granted. Linux saves them only for processes that ask; threads that start later inherit the
// permission.
bool AskForTiles() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::vector<const KernelSet*> FastSets() {
  std::vector<const KernelSet*> sets;
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                        __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi") &&
                        __builtin_cpu_supports("bmi2");
  const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool has_vnni = has_avx512 && __builtin_cpu_supports("avx512vnni");
  const bool has_bf16 = has_vnni && __builtin_cpu_supports("avx512bf16");
  const bool has_tiles = has_bf16 && __builtin_cpu_supports("amx-tile") &&
                         __builtin_cpu_supports("amx-int8") && __builtin_cpu_supports("amx-bf16") &&
                         AskForTiles();
  if (has_tiles) sets.push_back(&amx::kKernels);
  if (has_bf16) sets.push_back(&avx512_bf16::kKernels);
  if (has_vnni) sets.push_back(&avx512_vnni::kKernels);
  if (has_avx512) sets.push_back(&avx512::kKernels);
  if (has_avx2) sets.push_back(&avx2::kKernels);
  return sets;
}

#else

std::vector<const KernelSet*> FastSets() { return {}; }

#endif

}  // namespace

std::span<const KernelSet* const> AvailableKernelSets() {
  static const std::vector<const KernelSet*> kSets = [] {
    std::vector<const KernelSet*> sets = FastSets();
    sets.push_back(&generic::kKernels);
    return sets;
  }();
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

std::string KernelsKey(const KernelSet& kernels) {
  return fmt::format("{} {}", kernels.name, kKernelRevision);
}

}  // namespace tome
