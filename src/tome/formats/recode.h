// RecodeTensor streams a tensor's values in another type.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "tome/base/thread_pool.h"
#include "tome/tensor/dtype.h"
#include "tome/tensor/tensor.h"

namespace tome {

using ByteSink = std::function<void(std::span<const std::byte>)>;

// Writes the rows of `tensor` as `dtype` to `write`, in order, in pieces of some megabytes. Where
// the type stays the same, the bytes themselves are written. All threads of `pool` encode rows.
// Throws Error(kInvalidArgument) for a value that `dtype` cannot hold: NaN, an infinity or a
// magnitude above 65504 in a quantized type, a finite value that F16 would make infinite. Throws
// Error(kUnsupported) for types that are no weights.
void RecodeTensor(const TensorView& tensor, DType dtype, ThreadPool& pool, const ByteSink& write);

}  // namespace tome
