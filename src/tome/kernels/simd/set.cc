#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {

extern const KernelSet kKernels;
const KernelSet kKernels{
    .name = TOME_KERNEL_SET_NAME,
    .packed_bytes = PackedBytes,
    .pack = Pack,
    .matmul_scratch = MatmulScratch,
    .matmul = Matmul,
    .rms_norm = RmsNorm,
    .rope = Rope,
    .soft_cap = SoftCap,
    .write_kv = WriteKv,
    .attention = Attention,
    .rates = Rates,
};

}  // namespace tome::TOME_KERNEL_SET
