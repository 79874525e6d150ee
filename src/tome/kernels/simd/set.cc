#include "tome/kernels/simd/set.h"

#include "tome/kernels/simd/simd.h"

namespace tome::TOME_KERNEL_SET {

extern const KernelSet kKernels;
const KernelSet kKernels{
    .name = TOME_KERNEL_SET_NAME,
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
    .kv_type = kHasBF16Dot ? KvType::kBF16 : KvType::kF16,
};

}  // namespace tome::TOME_KERNEL_SET
