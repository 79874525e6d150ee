// MambaMixer is the mixer of Mamba (Gu and Dao, 2023), which Jamba has as well. Between two
// projections it has a convolution over time, then the selective scan.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tome/models/layers/linear.h"
#include "tome/models/layers/norm.h"
#include "tome/models/model.h"
#include "tome/models/weights.h"

namespace tome {

struct MambaSizes {
  int64_t inner = 0;       // Di, channels of the scan
  int64_t states = 0;      // N, per channel
  int64_t conv_width = 0;  // W
  int64_t rank = 0;        // R, rank of the projection to steps
};

struct MambaMixer {
  Linear x, z;                   // [Di, d]: the first and the second half of ssm_in
  std::vector<float> conv;       // [W, Di]
  std::vector<float> conv_bias;  // [Di], or empty
  Linear dt_low, b, c;           // [R, Di], [N, Di], [N, Di]: the parts of ssm_x
  std::optional<Norm> dt_norm, b_norm, c_norm;
  Linear dt;             // [Di, R]
  std::vector<float> a;  // [N, Di]
  std::vector<float> d;  // [Di]
  Linear out;            // [d, Di]
};

// Binds the tensors "blk.{}.ssm_…" of a layer. The norms of steps, b and c are bound where the
// checkpoint has them.
MambaMixer BindMambaMixer(Weights& weights, int64_t layer, int64_t width, const MambaSizes& sizes,
                          float norm_eps);

// Returns the sizes of window and state of `layers` mixers.
RecurrentShape RecurrentShapeOf(const MambaSizes& sizes, int64_t layers);

// MambaRows holds the rows between the steps of a mixer, for all tokens of a pass.
struct MambaRows {
  MambaRows(int64_t tokens, const MambaSizes& sizes);

  Tensor x, z, convolved, dt;  // [T, Di]
  Tensor dt_low;               // [T, R]
  Tensor b, c;                 // [T, N]
};

struct MambaPass {
  Batch batch;
  int64_t state = 0;  // layer of each item's memory whose states are read and written
  MambaRows& rows;
};

// Computes residual += mixer(norm(residual)).
void AddMamba(const Norm& norm, const MambaMixer& mixer, const MambaPass& pass, Tensor& residual,
              Scratch& scratch, const Compute& compute);

// Return a batch in the form that kernels take: the window or the state of layer `state` of every
// item's memory.
std::vector<ConvSequence> ConvSequences(Batch batch, int64_t state);
std::vector<ScanSequence> ScanSequences(Batch batch, int64_t state);

// Returns the weights "blk.{}.ssm_conv1d.weight" in the order that kernels take: [W, channels].
std::vector<float> BindConv(const Weights& weights, int64_t layer, int64_t channels, int64_t width);

}  // namespace tome
