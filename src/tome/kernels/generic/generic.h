// The kernel set `generic` defines every operation. It is written to be read and uses no intrinsics
// of an instruction set. Every faster set is tested against `generic`, and `generic` is tested
// against double precision.
#pragma once

#include "tome/kernels/kernel_set.h"

namespace tome::generic {

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

inline constexpr KernelSet kKernels{
    .name = "generic",
    .packed_bytes = PackedBytes,
    .pack = Pack,
    .matmul_scratch = MatmulScratch,
    .matmul = Matmul,
    .rms_norm = RmsNorm,
    .layer_norm = LayerNorm,
    .rope = Rope,
    .hadamard = Hadamard,
    .soft_cap = SoftCap,
    .log_sum_exp = LogSumExp,
    .write_kv = WriteKv,
    .attention = Attention,
    .encoder_attention_scratch = EncoderAttentionScratch,
    .encoder_attention = EncoderAttention,
    .pool = Pool,
    .summarize_keys = SummarizeKeys,
    .score_pages = ScorePages,
    .conv1d = Conv1d,
    .selective_scan = SelectiveScan,
    .head_scan = HeadScan,
    .retention = Retention,
    .retention_gate = RetentionGate,
    .compressive = Compressive,
    .scan_vectors = ScanVectors,
    .scan_nibbles = ScanNibbles,
    .rates = Rates,
    .kv_type = KvType::kF16,
};

float Activate(Activation activation, float x);

}  // namespace tome::generic
