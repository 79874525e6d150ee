// The functions of a vectorized kernel set (kernel_set.h), in the namespace of the set.
#pragma once

#include "tome/kernels/kernel_set.h"

namespace tome::TOME_KERNEL_SET {

int64_t PackedBytes(DType dtype, int64_t out, int64_t in) noexcept;
void Pack(const TensorView& weights, std::byte* packed, ThreadPool& threads) noexcept;
int64_t MatmulScratch(const MatmulArgs& args) noexcept;
void Matmul(const MatmulArgs& args, ThreadPool& threads) noexcept;
void RmsNorm(const RmsNormArgs& args, ThreadPool& threads) noexcept;
void LayerNorm(const LayerNormArgs& args, ThreadPool& threads) noexcept;
void Rope(const RopeArgs& args, ThreadPool& threads) noexcept;
void Hadamard(const HadamardArgs& args, ThreadPool& threads) noexcept;
void SoftCap(const SoftCapArgs& args) noexcept;
double LogSumExp(const LogSumExpArgs& args) noexcept;
void WriteKv(const KvWriteArgs& args, ThreadPool& threads) noexcept;
void Attention(const AttentionArgs& args, ThreadPool& threads) noexcept;
int64_t EncoderAttentionScratch(const EncoderAttentionArgs& args, int threads) noexcept;
void EncoderAttention(const EncoderAttentionArgs& args, ThreadPool& threads) noexcept;
void Pool(const PoolArgs& args, ThreadPool& threads) noexcept;
void SummarizeKeys(const KeySummaryArgs& args, ThreadPool& threads) noexcept;
void ScorePages(const PageScoreArgs& args) noexcept;
void Conv1d(const Conv1dArgs& args, ThreadPool& threads) noexcept;
void SelectiveScan(const SelectiveScanArgs& args, ThreadPool& threads) noexcept;
void HeadScan(const HeadScanArgs& args, ThreadPool& threads) noexcept;
void Retention(const RetentionArgs& args, ThreadPool& threads) noexcept;
void RetentionGate(const RetentionGateArgs& args, ThreadPool& threads) noexcept;
void Compressive(const CompressiveArgs& args, ThreadPool& threads) noexcept;
void ScanVectors(const VectorScanArgs& args) noexcept;
void ScanNibbles(const NibbleScanArgs& args) noexcept;
RateProbes Rates() noexcept;

}  // namespace tome::TOME_KERNEL_SET
