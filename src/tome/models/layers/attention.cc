#include "tome/models/layers/attention.h"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

namespace tome {
namespace {

// Chooses pages for the new tokens of one memory, which were written, and counts them.
ChosenPages ChooseFor(const BatchItem& item, int64_t layer, const AttentionShape& shape,
                      const float* q, const Compute& compute) {
  const PagedKv& kv = item.memory->kv();
  SparseAttention& sparse = *item.memory->sparse();
  const auto tokens = static_cast<int64_t>(item.tokens.size());
  sparse.summaries.Update(layer, kv.Keys(layer), kv.type(), kv.length(), kv.length() + tokens,
                          compute);
  PageChoice choice = ChoosePages({.q = q,
                                   .summaries = sparse.summaries.View(layer),
                                   .tokens = tokens,
                                   .first_position = kv.length(),
                                   .heads = shape.heads,
                                   .kv_heads = shape.kv_heads,
                                   .head_size = shape.head_size,
                                   .scale = shape.scale,
                                   .soft_cap = shape.soft_cap,
                                   .mass = sparse.mass},
                                  compute);
  (choice.pages.run_tokens == 1 ? sparse.use.single : sparse.use.blocks) += choice.share;
  return std::move(choice.pages);
}

// Turns the queries and keys of `tokens` tokens as a memory of rotated keys keeps these.
void RotateHeads(float* q, float* k, int64_t tokens, const AttentionShape& shape,
                 const Compute& compute) {
  HadamardArgs args{.x = q, .tokens = tokens, .heads = shape.heads, .head_size = shape.head_size};
  compute.kernels.hadamard(args, compute.threads);
  args.x = k;
  args.heads = shape.kv_heads;
  compute.kernels.hadamard(args, compute.threads);
}

}  // namespace

void Attend(Batch batch, int64_t layer, const AttentionShape& shape, const AttentionInput& input,
            float* out, Scratch& scratch, const Compute& compute) {
  const int64_t kv_width = shape.kv_heads * shape.head_size;
  const int64_t q_width = shape.heads * shape.head_size;
  // Memories may keep their elements differently; those that keep them alike are attended together.
  std::map<KvType, std::vector<AttentionSequence>> sequences;  // by the recent type
  std::deque<ChosenPages> chosen;
  int64_t row = 0;
  for (const BatchItem& item : batch) {
    PagedKv& kv = item.memory->kv();
    const auto tokens = static_cast<int64_t>(item.tokens.size());
    if (RotatesKeys(kv.type())) {
      RotateHeads(input.q + row * q_width, input.k + row * kv_width, tokens, shape, compute);
    }
    const bool sparse = item.memory->sparse() && layer >= kFirstSparseLayer && shape.window == 0;
    kv.BeginLayer(layer, sparse);
    for (const PagedKv::WritablePages& pages : kv.Writable(layer)) {
      compute.kernels.write_kv({.k = input.k + row * kv_width,
                                .v = input.v + row * kv_width,
                                .keys = pages.keys,
                                .values = pages.values,
                                .type = pages.type,
                                .tokens = tokens,
                                .first_position = kv.length(),
                                .kv_heads = shape.kv_heads,
                                .head_size = shape.head_size},
                               compute.threads);
    }
    if (sparse) {
      chosen.push_back(ChooseFor(item, layer, shape, input.q + row * q_width, compute));
    }
    // Tokens that see the memory alike are one sequence.
    const int64_t end = kv.length() + tokens;
    for (int64_t position = kv.length(); position < end;) {
      const int64_t alike = std::min(end, kv.ViewEnd(position)) - position;
      sequences[kv.types().recent].push_back({.q = input.q + row * q_width,
                                              .out = out + row * q_width,
                                              .kv = kv.View(layer, position),
                                              .tokens = alike,
                                              .first_position = position,
                                              .chosen = sparse ? &chosen.back() : nullptr});
      position += alike;
      row += alike;
    }
  }
  for (const auto& [type, alike] : sequences) {
    AttentionArgs args{.sequences = alike,
                       .type = type,
                       .heads = shape.heads,
                       .kv_heads = shape.kv_heads,
                       .head_size = shape.head_size,
                       .window = shape.window,
                       .scale = shape.scale,
                       .soft_cap = shape.soft_cap};
    const AttentionPlan plan = PlanAttention(args);
    args.plan = &plan;
    args.scratch = scratch.Get(AttentionScratchBytes(args, plan));
    compute.kernels.attention(args, compute.threads);
  }
  for (const BatchItem& item : batch) item.memory->kv().EndLayer(layer);
}

void Rotate(Tensor& x, const RotateArgs& args, const Compute& compute) {
  compute.kernels.rope({.x = x.floats().data(),
                        .cos = args.table.cos.data(),
                        .sin = args.table.sin.data(),
                        .tokens = x.shape()[0],
                        .heads = x.shape()[1] / args.head_size,
                        .head_size = args.head_size,
                        .rotary = args.rotary,
                        .layout = args.layout},
                       compute.threads);
}

}  // namespace tome
