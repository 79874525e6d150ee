// Reads and writes single elements of KV pages, in the layout of attention.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tome/kernels/attention.h"

namespace tome::generic {

// Returns one element of a head's slice of a page, for the token in `slot`.
float ReadKvElement(KvType type, const std::byte* slice, int64_t head_size, KvSide side,
                    int64_t slot, int64_t channel);

// Writes a quantized value, −127 to 127 (kQ8) or −8 to 7 (kQ4), as element `index` of a slice.
void WriteKvInteger(KvType type, std::byte* slice, int64_t index, int value);

// Writes one head of one token, x [head_size], with its padding and scales.
void WriteKvVector(KvType type, std::byte* slice, int64_t head_size, KvSide side, int64_t slot,
                   const float* x);

}  // namespace tome::generic
