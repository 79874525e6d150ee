// The arithmetic, as a table of functions for one instruction set.
//
// A set is chosen once, at start, and handed to the models; the operations are declared one header
// each, beside this file. Functions are noexcept, allocate nothing, and require what their argument
// structs say: they check nothing.
#pragma once

#include <span>
#include <string_view>

#include "tome/base/thread_pool.h"
#include "tome/kernels/activation.h"
#include "tome/kernels/attention.h"
#include "tome/kernels/matmul.h"
#include "tome/kernels/norm.h"
#include "tome/kernels/rope.h"

namespace tome {

struct KernelSet {
  std::string_view name;  // "generic"
  void (*matmul)(const MatmulArgs&, ThreadPool&) noexcept;
  void (*rms_norm)(const RmsNormArgs&) noexcept;
  void (*rope)(const RopeArgs&) noexcept;
  void (*gated_activation)(const GatedActivationArgs&) noexcept;
  void (*soft_cap)(const SoftCapArgs&) noexcept;
  void (*write_kv)(const KvWriteArgs&) noexcept;
  void (*attention)(const AttentionArgs&, ThreadPool&) noexcept;
};

// The sets that this build has and this processor and system can run, best first; `generic`, the
// readable definition of every operation, is always there and last.
std::span<const KernelSet* const> AvailableKernelSets();

// The best set, or the one that the environment variable TOME_KERNELS names:
// Error(kInvalidArgument) for a name that is not available; the message lists those that are.
const KernelSet& SelectKernelSet();

// What a computation runs on. Neither is owned.
struct Compute {
  const KernelSet& kernels;
  ThreadPool& threads;
};

}  // namespace tome
