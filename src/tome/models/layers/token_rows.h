// These functions are both ends of a model: from tokens to rows of the residual stream, from rows
// to logits.
#pragma once

#include <cstdint>
#include <span>

#include "tome/kernels/kernel_set.h"
#include "tome/models/layers/linear.h"
#include "tome/models/layers/norm.h"
#include "tome/models/model.h"

namespace tome {

// Checks a batch before anything is changed, and returns the number of its tokens. Throws the
// errors of Model::Forward.
int64_t CheckBatch(Batch batch, int64_t vocabulary);

// Does what CheckBatch does, then reserves room in every memory.
int64_t BeginForward(Batch batch, int64_t vocabulary);

// Returns the embedding's rows of these tokens, [T, width].
Tensor RowsOf(std::span<const TokenId> tokens, const TensorView& embedding, const Compute& compute);

// Returns the embedding's rows of all tokens of a batch, [T, width].
Tensor Embed(Batch batch, const TensorView& embedding, const Compute& compute);

// Returns the logits of the rows that the batch asks for, [rows, vocabulary]. It applies the final
// norm, where it has weights, then `head`.
Tensor Head(Batch batch, const Tensor& x, const Norm& norm, const Linear& head, Scratch& scratch,
            const Compute& compute);

// Ends a forward pass: the memories now hold the batch's tokens.
void FinishForward(Batch batch);

}  // namespace tome
