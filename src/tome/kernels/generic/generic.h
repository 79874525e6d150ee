// The kernel set `generic`: the definition of every operation, written to be read, without any
// instruction set's intrinsics. Every faster set is tested against it, and it against double
// precision.
#pragma once

#include "tome/kernels/kernel_set.h"

namespace tome::generic {

void Matmul(const MatmulArgs& args, ThreadPool& threads) noexcept;
void RmsNorm(const RmsNormArgs& args) noexcept;
void Rope(const RopeArgs& args) noexcept;
void GatedActivation(const GatedActivationArgs& args) noexcept;
void SoftCap(const SoftCapArgs& args) noexcept;
void WriteKv(const KvWriteArgs& args) noexcept;
void Attention(const AttentionArgs& args, ThreadPool& threads) noexcept;

inline constexpr KernelSet kKernels{
    .name = "generic",
    .matmul = Matmul,
    .rms_norm = RmsNorm,
    .rope = Rope,
    .gated_activation = GatedActivation,
    .soft_cap = SoftCap,
    .write_kv = WriteKv,
    .attention = Attention,
};

}  // namespace tome::generic
