// The arithmetic, as a table of functions for one instruction set.
//
// A set is chosen once, at start, and handed to the models; the operations are declared one header
// each, beside this file. Functions are noexcept, allocate nothing, and require what their argument
// structs say: they check nothing.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tome/base/thread_pool.h"
#include "tome/kernels/activation.h"
#include "tome/kernels/attention.h"
#include "tome/kernels/compressive.h"
#include "tome/kernels/conv1d.h"
#include "tome/kernels/hadamard.h"
#include "tome/kernels/matmul.h"
#include "tome/kernels/norm.h"
#include "tome/kernels/page_choice.h"
#include "tome/kernels/rates.h"
#include "tome/kernels/retention.h"
#include "tome/kernels/rope.h"
#include "tome/kernels/scan.h"

namespace tome {

struct KernelSet {
  std::string_view name;  // "generic", "avx2", …
  // Weights [out, in] for PackedMatrix::data. 0 bytes: the set multiplies with them as stored.
  int64_t (*packed_bytes)(DType dtype, int64_t out, int64_t in) noexcept;
  void (*pack)(const TensorView& weights, std::byte* packed, ThreadPool&) noexcept;
  // Bytes of MatmulArgs::scratch, which is not looked at.
  int64_t (*matmul_scratch)(const MatmulArgs&) noexcept;
  void (*matmul)(const MatmulArgs&, ThreadPool&) noexcept;
  void (*rms_norm)(const RmsNormArgs&, ThreadPool&) noexcept;
  void (*rope)(const RopeArgs&, ThreadPool&) noexcept;
  void (*hadamard)(const HadamardArgs&, ThreadPool&) noexcept;
  void (*soft_cap)(const SoftCapArgs&) noexcept;
  double (*log_sum_exp)(const LogSumExpArgs&) noexcept;
  void (*write_kv)(const KvWriteArgs&, ThreadPool&) noexcept;
  void (*attention)(const AttentionArgs&, ThreadPool&) noexcept;
  void (*summarize_keys)(const KeySummaryArgs&, ThreadPool&) noexcept;
  void (*score_pages)(const PageScoreArgs&) noexcept;
  void (*conv1d)(const Conv1dArgs&, ThreadPool&) noexcept;
  void (*selective_scan)(const SelectiveScanArgs&, ThreadPool&) noexcept;
  void (*head_scan)(const HeadScanArgs&, ThreadPool&) noexcept;
  void (*retention)(const RetentionArgs&, ThreadPool&) noexcept;
  void (*retention_gate)(const RetentionGateArgs&, ThreadPool&) noexcept;
  void (*compressive)(const CompressiveArgs&, ThreadPool&) noexcept;
  RateProbes (*rates)() noexcept;
  KvType kv_type;  // of 16 bits, the one whose pages `attention` reads as they are
};

// The sets that this build has and this processor and system can run, best first; `generic`, the
// readable definition of every operation, is always there and last. On x86-64:
//   amx          as avx512-bf16, with tiles (AMX-INT8, AMX-BF16) for many rows
//   avx512-bf16  AVX-512 F, BW, DQ, VL with VNNI and BF16
//   avx512-vnni  … with VNNI
//   avx512       …
//   avx2         AVX2, FMA and F16C
std::span<const KernelSet* const> AvailableKernelSets();

// The best set, or the one that the environment variable TOME_KERNELS names:
// Error(kInvalidArgument) for a name that is not available; the message lists those that are.
const KernelSet& SelectKernelSet();

// Rises with every change of what a set computes, be it a bit, or of how fast it is.
inline constexpr int kKernelRevision = 2;
// The set and its revision. What was kept by other kernels (memories, measured rates) is neither
// mixed with what these compute nor compared with it.
std::string KernelsKey(const KernelSet& kernels);

// What a computation runs on. Neither is owned.
struct Compute {
  const KernelSet& kernels;
  ThreadPool& threads;
};

}  // namespace tome
