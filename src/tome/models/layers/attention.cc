#include "tome/models/layers/attention.h"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <map>
#include <span>
#include <vector>

namespace tome {
namespace {

// Returns each key head's newest choice of pages: of tokens that chose one by one (a question's)
// the union of all choices, otherwise the choice of the last block.
std::vector<std::vector<int32_t>> NewestOf(const ChosenPages& chosen, int64_t kv_heads) {
  const auto heads = static_cast<size_t>(kv_heads);
  const auto& lists = chosen.lists;
  if (chosen.run_tokens > 1) return {lists.end() - kv_heads, lists.end()};
  std::vector<std::vector<int32_t>> all(heads);
  for (size_t i = 0; i < lists.size(); ++i) {
    std::vector<int32_t>& pages = all[i % heads];
    pages.insert(pages.end(), lists[i].begin(), lists[i].end());
  }
  for (std::vector<int32_t>& pages : all) {
    std::ranges::sort(pages);
    pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  }
  return all;
}

// Chooses pages for the tokens of `sequence`, whose keys are written already, and counts them.
ChosenPages ChooseFor(const BatchItem& item, int64_t layer, const AttentionShape& shape,
                      const AttentionSequence& sequence, const Compute& compute) {
  SparseAttention& sparse = *item.memory->sparse();
  const auto at = static_cast<size_t>(layer);
  if (sparse.chosen.size() <= at) sparse.chosen.resize(at + 1);
  std::span<const std::vector<int32_t>> preselected;
  if (at < sparse.preselected.size()) preselected = sparse.preselected[at];
  PageChoice choice = ChoosePages({.q = sequence.q,
                                   .ranges = sequence.ranges,
                                   .summaries = sparse.summaries.Pages(layer),
                                   .part_summaries = sparse.summaries.Parts(layer),
                                   .preselected = preselected,
                                   .tokens = sequence.tokens,
                                   .pass_tokens = static_cast<int64_t>(item.tokens.size()),
                                   .first_position = sequence.first_position,
                                   .heads = shape.heads,
                                   .kv_heads = shape.kv_heads,
                                   .head_size = shape.head_size,
                                   .scale = shape.scale,
                                   .soft_cap = shape.soft_cap,
                                   .mass = sparse.mass},
                                  compute);
  sparse.chosen[at] = NewestOf(choice.pages, shape.kv_heads);
  (choice.pages.run_tokens == 1 ? sparse.use.single : sparse.use.blocks) += choice.share;
  return std::move(choice.pages);
}

// Rotates the queries and keys of `tokens` tokens as memories of rotated keys need them.
void RotateHeads(const AttentionInput& input, int64_t row, int64_t tokens,
                 const AttentionShape& shape, const Compute& compute) {
  for (float* q : {input.q, input.q_middle, input.q_far, input.k}) {
    if (q == nullptr) continue;
    const int64_t heads = q == input.k ? shape.kv_heads : shape.heads;
    compute.kernels.hadamard({.x = q + row * heads * shape.head_size,
                              .tokens = tokens,
                              .heads = heads,
                              .head_size = shape.head_size},
                             compute.threads);
  }
}

// Returns the end of the run of tokens from `position` on that see pages in the same way.
int64_t EndOfRun(const PositionScheme& scheme, int64_t position) {
  if (scheme.chunks) return scheme.chunks->EndOfChunk(position);
  if (!scheme.streaming) return std::numeric_limits<int64_t>::max();
  if (scheme.streaming->ForgottenTo(position) == 0) return scheme.streaming->MostSeen();
  return (position / kKvPageTokens + 1) * kKvPageTokens;
}

// SequenceParts owns what the sequences of a call point to.
struct SequenceParts {
  std::deque<ChosenPages> chosen;
  std::deque<std::array<QueryRange, 2>> ranges;
  std::deque<std::vector<const std::byte*>> pages;

  std::span<const QueryRange> Ranges(const std::array<QueryRange, 2>& of, size_t count) {
    return std::span(ranges.emplace_back(of)).first(count);
  }
};

// Sets the queries of tokens of one chunk: for older chunks, for the chunk before, and for their
// own.
void TurnByChunks(const ChunkedPositions& chunks, const float* middle, const float* far,
                  SequenceParts& parts, AttentionSequence& sequence) {
  const int64_t own = sequence.first_position / chunks.chunk * chunks.chunk / kKvPageTokens;
  if (own == 0) return;
  const int64_t before = own - chunks.chunk / kKvPageTokens;
  const float* const near = sequence.q;
  if (before == 0) {
    sequence.q = middle;
    sequence.ranges = parts.Ranges({{{own, near}}}, 1);
  } else {
    sequence.q = far;
    sequence.ranges = parts.Ranges({{{before, middle}, {own, near}}}, 2);
  }
}

// Leaves out the pages that the tokens of a sequence, all of one page, have forgotten. The kernel
// then sees the window right after the sinks. `dropped` tokens are gone from the memory already.
void Stream(const StreamingWindow& streaming, int64_t dropped, const float* middle,
            SequenceParts& parts, AttentionSequence& sequence) {
  const int64_t forgotten = streaming.ForgottenTo(sequence.first_position);
  const int64_t sinks = streaming.sinks / kKvPageTokens;
  if (forgotten > dropped) {
    const int64_t skipped = (forgotten - dropped) / kKvPageTokens;
    const auto without = [&](std::span<const std::byte* const> all) {
      std::vector<const std::byte*>& pages = parts.pages.emplace_back();
      pages.assign(all.begin(), all.begin() + sinks);
      pages.insert(pages.end(), all.begin() + sinks + skipped, all.end());
      return std::span<const std::byte* const>(pages);
    };
    sequence.kv = {.keys = without(sequence.kv.keys), .values = without(sequence.kv.values)};
  }
  sequence.first_position -= forgotten;
  if (forgotten > 0 && sinks > 0) {
    sequence.ranges = parts.Ranges({{{sinks, sequence.q}}}, 1);
    sequence.q = middle;
  }
}

// Adds to an item's tap where its sequences attend.
void Tap(const BatchItem& item, int64_t layer, std::span<const AttentionSequence> sequences,
         const AttentionArgs& shape, const Compute& compute) {
  AttentionTap& tap = *item.tap;
  if (tap.mass.empty()) tap.mass.assign(tap.heads.size() * tap.spans.size(), 0);
  std::vector<int64_t> heads;
  std::vector<size_t> rows;
  for (size_t i = 0; i < tap.heads.size(); ++i) {
    const int64_t head = tap.heads[i].head;
    if (tap.heads[i].layer != layer || head < 0 || head >= shape.heads) continue;
    heads.push_back(head);
    rows.push_back(i);
  }
  if (heads.empty() || tap.spans.empty()) return;
  std::vector<double> mass(heads.size() * tap.spans.size(), 0);
  for (const AttentionSequence& sequence : sequences) {
    AddAttentionMass(
        {.sequence = sequence,
         .shape = shape,
         .first_token = std::max<int64_t>(0, tap.first_position - sequence.first_position),
         .heads = heads,
         .spans = tap.spans,
         .mass = mass.data()},
        compute.threads);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < tap.spans.size(); ++j) {
      tap.mass[rows[i] * tap.spans.size() + j] += mass[i * tap.spans.size() + j];
    }
  }
}

// Returns whether an item has a tap and its tokens attend to all tokens before them.
bool CanTap(const BatchItem& item) {
  const Memory& memory = *item.memory;
  return item.tap != nullptr && !memory.sparse() && !memory.positions().streaming &&
         memory.segment() == 0;
}

}  // namespace

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

BatchRotation::BatchRotation(Batch batch, const RopeConfig& rope, RopeLayout layout,
                             int64_t head_size)
    : angles_(AnglesOf(batch, rope)),
      rotary_(rope.dimensions),
      layout_(layout),
      head_size_(head_size) {}

AttentionInput BatchRotation::Turn(Tensor& q, Tensor& k, const Tensor& v, const Compute& compute) {
  const auto width = static_cast<size_t>(q.shape()[1]);
  for (size_t t = 0; t < angles_.query_factors.size(); ++t) {
    const float factor = angles_.query_factors[t];
    if (factor == 1) continue;
    for (float& x : q.floats().subspan(t * width, width)) x *= factor;
  }
  AttentionInput input{.k = k.floats().data(), .v = v.floats().data()};
  input.q_middle = TurnCopy(q, angles_.middle, middle_, compute);
  input.q_far = TurnCopy(q, angles_.far, far_, compute);
  Turn(q, angles_.keys, compute);
  Turn(k, angles_.keys, compute);
  input.q = q.floats().data();
  return input;
}

float* BatchRotation::TurnCopy(const Tensor& q, const RopeTable& table, Tensor& copy,
                               const Compute& compute) const {
  if (table.cos.empty()) return nullptr;
  if (copy.shape() != q.shape()) copy = Tensor(DType::kF32, q.shape(), Fill::kNone);
  std::ranges::copy(q.floats(), copy.floats().begin());
  Turn(copy, table, compute);
  return copy.floats().data();
}

void BatchRotation::Turn(Tensor& x, const RopeTable& table, const Compute& compute) const {
  Rotate(x, {.table = table, .rotary = rotary_, .layout = layout_, .head_size = head_size_},
         compute);
}

void Attend(Batch batch, int64_t layer, const AttentionShape& shape, const AttentionInput& input,
            float* out, Scratch& scratch, const Compute& compute) {
  const int64_t kv_width = shape.kv_heads * shape.head_size;
  const int64_t q_width = shape.heads * shape.head_size;
  // Memories may differ in their types. Those with the same local type are attended together.
  std::map<KvType, std::vector<AttentionSequence>> sequences;  // by the local type
  SequenceParts parts;
  int64_t row = 0;
  for (const BatchItem& item : batch) {
    PagedKv& kv = item.memory->kv();
    const auto tokens = static_cast<int64_t>(item.tokens.size());
    if (RotatesKeys(kv.type())) RotateHeads(input, row, tokens, shape, compute);
    const bool summarized = item.memory->sparse() && shape.window == 0;
    const bool sparse = summarized && (layer >= kFirstSparseLayer || tokens > kChoiceSingleTokens);
    if (!sparse) kv.PrefetchNextLayer(layer);
    for (const PagedKv::WritablePages& pages : kv.Writable(layer)) {
      compute.kernels.write_kv({.k = input.k + row * kv_width,
                                .v = input.v + row * kv_width,
                                .keys = pages.keys,
                                .values = pages.values,
                                .type = pages.type,
                                .tokens = tokens,
                                .first_position = kv.held(),
                                .kv_heads = shape.kv_heads,
                                .head_size = shape.head_size},
                               compute.threads);
    }
    if (summarized) {
      item.memory->sparse()->summaries.Update(layer, kv.Keys(layer), kv.type(), kv.length(),
                                              kv.length() + tokens, compute);
    }
    // Tokens that see the memory in the same way are one sequence.
    const PositionScheme& scheme = item.memory->positions();
    const int64_t begin = kv.length();
    std::vector<AttentionSequence> tapped;
    for (int64_t first = begin, end = 0; first < begin + tokens; first = end) {
      end = std::min({begin + tokens, EndOfRun(scheme, first), kv.ViewEnd(first)});
      const int64_t at = (row + first - begin) * q_width;
      const auto row_of = [&](const float* q) { return q == nullptr ? nullptr : q + at; };
      AttentionSequence sequence{.q = input.q + at,
                                 .out = out + at,
                                 .kv = kv.View(layer, first),
                                 .tokens = end - first,
                                 .first_position = first,
                                 .ranges = {}};
      if (scheme.chunks) {
        TurnByChunks(*scheme.chunks, row_of(input.q_middle), row_of(input.q_far), parts, sequence);
      }
      if (scheme.streaming) {
        Stream(*scheme.streaming, kv.dropped(), row_of(input.q_middle), parts, sequence);
      }
      if (sparse) {
        parts.chosen.push_back(ChooseFor(item, layer, shape, sequence, compute));
        sequence.chosen = &parts.chosen.back();
      }
      sequences[kv.types().local].push_back(sequence);
      if (CanTap(item)) tapped.push_back(sequence);
    }
    if (!tapped.empty()) {
      Tap(item, layer, tapped,
          {.sequences = {},
           .type = kv.types().local,
           .heads = shape.heads,
           .kv_heads = shape.kv_heads,
           .head_size = shape.head_size,
           .window = shape.window,
           .scale = shape.scale,
           .soft_cap = shape.soft_cap},
          compute);
    }
    row += tokens;
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

}  // namespace tome
