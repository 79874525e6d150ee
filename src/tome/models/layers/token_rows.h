// Both ends of a model: tokens to rows of the residual stream, rows to logits.
#pragma once

#include <cstdint>

#include "tome/kernels/kernel_set.h"
#include "tome/models/layers/linear.h"
#include "tome/models/layers/norm.h"
#include "tome/models/model.h"

namespace tome {

// Checks a batch before anything is changed: Model::Forward says what is refused. Gives the number
// of its tokens.
int64_t CheckBatch(Batch batch, int64_t vocabulary);

// CheckBatch, then room in every memory.
int64_t BeginForward(Batch batch, int64_t vocabulary);

// The embedding's rows of all tokens of a batch: [T, width].
Tensor Embed(Batch batch, const TensorView& embedding, const Compute& compute);

// Logits of the rows that the batch asks for: final norm, where it has weights, then `head`. [rows,
// vocabulary].
Tensor Head(Batch batch, const Tensor& x, const Norm& norm, const Linear& head, Scratch& scratch,
            const Compute& compute);

// Remembers the batch's tokens: the end of a forward pass.
void FinishForward(Batch batch);

}  // namespace tome
