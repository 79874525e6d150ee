// AssignTypes chooses the type of each tensor of a GGUF model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/formats/tensor_plan.h"

namespace tome {

// Gives the tensors of `plans` the types of a model in `type`, which must be decodable. `plans`
// holds GGUF names and shapes, and the types that the tensors have now.
//   - Matrices get `type`, but in a K model the token embedding and the output head, which every
//     token passes, get Q6_K.
//   - Norms, biases, other vectors and the small tensors that no matrix product reads (a
//     convolution's taps, Mamba's A, an expert router, tables of positions) get F32.
//   - A matrix whose rows do not fill blocks gets Q8_0 where its rows fill blocks of 32, F16
//     otherwise.
//   - Integers and F64 keep their types.
// Returns a line for the user for each kind of matrix that did not get the type asked for.
std::vector<std::string> AssignTypes(DType type, std::vector<TensorPlan>& plans);

// Returns the number under general.file_type of a model whose matrices are mostly `type`, as
// llama.cpp counts them. Empty for a type that no model is mostly of.
std::optional<uint32_t> GgufFileType(DType type);

}  // namespace tome
