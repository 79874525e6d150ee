// Which type each tensor gets when a GGUF model is written in a given one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tome/formats/tensor_plan.h"

namespace tome {

// Gives the tensors of `plans` (GGUF names and shapes, the types they have now) the types of a
// model in `type`, a decodable one:
//   - matrices get `type`, but in a K model the token embedding and the output head, which every
//     token passes, get Q6_K;
//   - norms, biases, other vectors and the small tensors that no matrix product reads (a
//     convolution's taps, Mamba's A, an expert router, tables of positions) get F32;
//   - a matrix whose rows do not fill blocks gets Q8_0 where its rows fill those of 32, F16
//     otherwise;
//   - integers and F64 keep what they have.
// What was done otherwise than asked is returned, a line a case, for the user.
std::vector<std::string> AssignTypes(DType type, std::vector<TensorPlan>& plans);

// The number under general.file_type of a model whose matrices are mostly `type`, as llama.cpp
// counts them.
uint32_t GgufFileType(DType type);

}  // namespace tome
