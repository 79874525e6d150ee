#include "tome/models/layers/mamba_mixer.h"

namespace tome {
namespace {

// Returns values [rows, columns] with the axes exchanged.
std::vector<float> Transposed(const std::vector<float>& values, int64_t rows, int64_t columns) {
  std::vector<float> transposed(values.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      transposed[static_cast<size_t>(c * rows + r)] = values[static_cast<size_t>(r * columns + c)];
    }
  }
  return transposed;
}

}  // namespace

std::vector<float> BindConv(const Weights& weights, int64_t layer, int64_t channels,
                            int64_t width) {
  return Transposed(weights.Values("blk.{}.ssm_conv1d.weight", layer,
                                   {Shape{channels, width}, Shape{channels, 1, width}}),
                    channels, width);
}

MambaMixer BindMambaMixer(Weights& weights, int64_t layer, int64_t width, const MambaSizes& sizes,
                          float norm_eps) {
  const int64_t inner = sizes.inner;
  const int64_t steps = sizes.rank + 2 * sizes.states;
  const auto norm = [&](std::string_view name, int64_t size) {
    return weights.Has(name, layer) ? std::optional(weights.BindNorm(name, layer, size, norm_eps))
                                    : std::nullopt;
  };
  const auto step_rows = [&](int64_t first, int64_t out) {
    return weights.BindRows("blk.{}.ssm_x", layer, steps, inner, first, out);
  };
  return {
      .x = weights.BindRows("blk.{}.ssm_in", layer, 2 * inner, width, 0, inner),
      .z = weights.BindRows("blk.{}.ssm_in", layer, 2 * inner, width, inner, inner),
      .conv = BindConv(weights, layer, inner, sizes.conv_width),
      .conv_bias = weights.Has("blk.{}.ssm_conv1d.bias", layer)
                       ? weights.Vector("blk.{}.ssm_conv1d.bias", layer, inner)
                       : std::vector<float>(),
      .dt_low = step_rows(0, sizes.rank),
      .b = step_rows(sizes.rank, sizes.states),
      .c = step_rows(sizes.rank + sizes.states, sizes.states),
      .dt_norm = norm("blk.{}.ssm_dt_norm.weight", sizes.rank),
      .b_norm = norm("blk.{}.ssm_b_norm.weight", sizes.states),
      .c_norm = norm("blk.{}.ssm_c_norm.weight", sizes.states),
      .dt = weights.BindLinear("blk.{}.ssm_dt", layer, inner, sizes.rank),
      .a = Transposed(weights.Values("blk.{}.ssm_a", layer, {Shape{inner, sizes.states}}), inner,
                      sizes.states),
      .d = weights.Vector("blk.{}.ssm_d", layer, inner),
      .out = weights.BindLinear("blk.{}.ssm_out", layer, width, inner),
  };
}

RecurrentShape RecurrentShapeOf(const MambaSizes& sizes, int64_t layers) {
  return {.layers = layers,
          .window = (sizes.conv_width - 1) * sizes.inner,
          .state = sizes.states * sizes.inner};
}

MambaRows::MambaRows(int64_t tokens, const MambaSizes& sizes)
    : x(DType::kF32, {tokens, sizes.inner}, Fill::kNone),
      z(DType::kF32, {tokens, sizes.inner}, Fill::kNone),
      convolved(DType::kF32, {tokens, sizes.inner}, Fill::kNone),
      dt(DType::kF32, {tokens, sizes.inner}, Fill::kNone),
      dt_low(DType::kF32, {tokens, sizes.rank}, Fill::kNone),
      b(DType::kF32, {tokens, sizes.states}, Fill::kNone),
      c(DType::kF32, {tokens, sizes.states}, Fill::kNone) {}

std::vector<ConvSequence> ConvSequences(Batch batch, int64_t state) {
  std::vector<ConvSequence> sequences;
  for (const BatchItem& item : batch) {
    Recurrent& recurrent = item.memory->recurrent();
    sequences.push_back({.tokens = static_cast<int64_t>(item.tokens.size()),
                         .window = recurrent.View(state).window.data(),
                         .next_window = recurrent.Next(state).window.data()});
  }
  return sequences;
}

std::vector<ScanSequence> ScanSequences(Batch batch, int64_t state) {
  std::vector<ScanSequence> sequences;
  for (const BatchItem& item : batch) {
    Recurrent& recurrent = item.memory->recurrent();
    sequences.push_back({.tokens = static_cast<int64_t>(item.tokens.size()),
                         .state = recurrent.View(state).state.data(),
                         .next_state = recurrent.Next(state).state.data()});
  }
  return sequences;
}

void AddMamba(const Norm& norm, const MambaMixer& mixer, const MambaPass& pass, Tensor& residual,
              Scratch& scratch, const Compute& compute) {
  MambaRows& rows = pass.rows;
  const int64_t inner = mixer.out.in();
  Project(&norm, residual, {{.linear = mixer.x, .y = rows.x}, {.linear = mixer.z, .y = rows.z}},
          scratch, compute);
  const auto windows = ConvSequences(pass.batch, pass.state);
  compute.kernels.conv1d({.sequences = windows,
                          .x = rows.x.floats().data(),
                          .weight = mixer.conv.data(),
                          .bias = mixer.conv_bias.empty() ? nullptr : mixer.conv_bias.data(),
                          .y = rows.convolved.floats().data(),
                          .channels = inner,
                          .width = static_cast<int64_t>(mixer.conv.size()) / inner},
                         compute.threads);
  Project(rows.convolved,
          {{.linear = mixer.dt_low, .y = rows.dt_low},
           {.linear = mixer.b, .y = rows.b},
           {.linear = mixer.c, .y = rows.c}},
          scratch, compute);
  if (mixer.dt_norm) Normalize(*mixer.dt_norm, rows.dt_low, rows.dt_low, compute);
  if (mixer.b_norm) Normalize(*mixer.b_norm, rows.b, rows.b, compute);
  if (mixer.c_norm) Normalize(*mixer.c_norm, rows.c, rows.c, compute);
  Project(rows.dt_low, {{.linear = mixer.dt, .y = rows.dt}}, scratch, compute);
  const auto states = ScanSequences(pass.batch, pass.state);
  compute.kernels.selective_scan({.sequences = states,
                                  .x = rows.convolved.floats().data(),
                                  .dt = rows.dt.floats().data(),
                                  .a = mixer.a.data(),
                                  .b = rows.b.floats().data(),
                                  .c = rows.c.floats().data(),
                                  .d = mixer.d.data(),
                                  .z = rows.z.floats().data(),
                                  .y = rows.dt.floats().data(),
                                  .channels = inner,
                                  .states = rows.b.shape()[1]},
                                 compute.threads);
  Project(rows.dt, {{.linear = mixer.out, .y = residual, .add = true}}, scratch, compute);
}

}  // namespace tome
