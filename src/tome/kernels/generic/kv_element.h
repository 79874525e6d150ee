// Elements of the KV cache by the layout of attention.h, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tome/kernels/attention.h"

namespace tome::generic {

// Of a head's slice of a page: `key`, or else value, of the token in `slot`.
float ReadKvElement(KvType type, const std::byte* slice, int64_t head_size, bool key, int64_t slot,
                    int64_t channel);

// Puts a quantized value, −127 to 127 (kQ8) or −8 to 7 (kQ4), in place of element `index`.
void WriteKvInteger(KvType type, std::byte* slice, int64_t index, int value);

// A token's head, x [head_size], with its padding and scales.
void WriteKvVector(KvType type, std::byte* slice, int64_t head_size, bool key, int64_t slot,
                   const float* x);

}  // namespace tome::generic
