// KernelSet is the arithmetic of the models, as a table of functions for one instruction set.
//
// A set is chosen once, at start, and handed to the models. Each operation has its own header in
// this folder. The functions are noexcept and allocate nothing. They require what their argument
// structs say and do not check it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tome/base/thread_pool.h"
#include "tome/kernels/activation.h"
#include "tome/kernels/attention.h"
#include "tome/kernels/compressive.h"
#include "tome/kernels/conv1d.h"
#include "tome/kernels/encoder_attention.h"
#include "tome/kernels/hadamard.h"
#include "tome/kernels/matmul.h"
#include "tome/kernels/norm.h"
#include "tome/kernels/page_choice.h"
#include "tome/kernels/pooling.h"
#include "tome/kernels/rates.h"
#include "tome/kernels/retention.h"
#include "tome/kernels/rope.h"
#include "tome/kernels/scan.h"
#include "tome/kernels/vector_scan.h"

namespace tome {

struct KernelSet {
  std::string_view name;  // "generic", "avx2", …
  // Size and layout of weights [out, in] in PackedMatrix::data. With 0 bytes, the set multiplies
  // with weights as they are stored.
  int64_t (*packed_bytes)(DType dtype, int64_t out, int64_t in) noexcept;
  void (*pack)(const TensorView& weights, std::byte* packed, ThreadPool&) noexcept;
  // Bytes of MatmulArgs::scratch; the member itself need not be set.
  int64_t (*matmul_scratch)(const MatmulArgs&) noexcept;
  void (*matmul)(const MatmulArgs&, ThreadPool&) noexcept;
  void (*rms_norm)(const RmsNormArgs&, ThreadPool&) noexcept;
  void (*layer_norm)(const LayerNormArgs&, ThreadPool&) noexcept;
  void (*rope)(const RopeArgs&, ThreadPool&) noexcept;
  void (*hadamard)(const HadamardArgs&, ThreadPool&) noexcept;
  void (*soft_cap)(const SoftCapArgs&) noexcept;
  double (*log_sum_exp)(const LogSumExpArgs&) noexcept;
  void (*write_kv)(const KvWriteArgs&, ThreadPool&) noexcept;
  void (*attention)(const AttentionArgs&, ThreadPool&) noexcept;
  // Bytes of EncoderAttentionArgs::scratch with a pool of `threads`; the member itself need not be
  // set.
  int64_t (*encoder_attention_scratch)(const EncoderAttentionArgs&, int threads) noexcept;
  void (*encoder_attention)(const EncoderAttentionArgs&, ThreadPool&) noexcept;
  void (*pool)(const PoolArgs&, ThreadPool&) noexcept;
  void (*summarize_keys)(const KeySummaryArgs&, ThreadPool&) noexcept;
  void (*score_pages)(const PageScoreArgs&) noexcept;
  void (*conv1d)(const Conv1dArgs&, ThreadPool&) noexcept;
  void (*selective_scan)(const SelectiveScanArgs&, ThreadPool&) noexcept;
  void (*head_scan)(const HeadScanArgs&, ThreadPool&) noexcept;
  void (*retention)(const RetentionArgs&, ThreadPool&) noexcept;
  void (*retention_gate)(const RetentionGateArgs&, ThreadPool&) noexcept;
  void (*compressive)(const CompressiveArgs&, ThreadPool&) noexcept;
  void (*scan_vectors)(const VectorScanArgs&) noexcept;
  void (*scan_nibbles)(const NibbleScanArgs&) noexcept;
  RateProbes (*rates)() noexcept;
  // The 16-bit type for pages: BF16 where `attention` multiplies BF16 as it is stored, else F16.
  KvType kv_type;
};

// Returns the sets of this build that this processor and system can run, best first. `generic`, the
// readable definition of every operation, is always the last. On x86-64 the sets are:
//   amx          AVX-512 as avx512-bf16, with tiles (AMX-INT8, AMX-BF16) for many rows
//   avx512-bf16  AVX-512 F, BW, DQ, VL, VNNI and BF16
//   avx512-vnni  AVX-512 F, BW, DQ, VL and VNNI
//   avx512       AVX-512 F, BW, DQ and VL
//   avx2         AVX2, FMA and F16C
std::span<const KernelSet* const> AvailableKernelSets();

// Returns the best set, or the one that the environment variable TOME_KERNELS names. Throws
// Error(kInvalidArgument) for a name that is not available, with the available names.
const KernelSet& SelectKernelSet();

// Raised with every change of a set's results, be it a single bit, or of its speed.
inline constexpr int kKernelRevision = 2;
// Names the set and its revision, so that kept results (memories, measured rates) are neither mixed
// nor compared with results of other kernels.
std::string KernelsKey(const KernelSet& kernels);

// The kernels and threads that a computation runs on. It owns neither.
struct Compute {
  const KernelSet& kernels;
  ThreadPool& threads;
};

}  // namespace tome
