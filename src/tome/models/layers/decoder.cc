#include "tome/models/layers/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/memory/spill.h"

namespace tome {

AttentionShape AttentionShapeOf(const DecoderConfig& config, int64_t layer) {
  return {.heads = config.heads,
          .kv_heads = config.kv_heads,
          .head_size = config.head_size,
          .window = config.Slides(layer) ? config.window : 0,
          .scale = static_cast<float>(config.query_scale),
          .soft_cap = config.attention_soft_cap};
}

namespace {

// kEndless is more tokens than any memory will hold.
constexpr int64_t kEndless = int64_t{1} << 62;

int64_t WholePages(int64_t tokens) {
  return (tokens + kKvPageTokens - 1) / kKvPageTokens * kKvPageTokens;
}

// Returns Dual Chunk Attention for a model that was made without it. As in Qwen2.5-1M, a
// thirty-second of the trained length is kept for true distances between chunks. No distance is one
// that was not trained.
ChunkedPositions StandardChunks(int64_t trained) {
  const int64_t local = std::max(kKvPageTokens, trained / 32);
  const int64_t chunk = (trained - local) / kKvPageTokens * kKvPageTokens;
  if (chunk < kKvPageTokens) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("dual chunk attention needs a model made for {} tokens at least; this one "
                    "was made for {}",
                    2 * kKvPageTokens, trained),
        {Advice::Use(Setting::kLonger, std::string(NameOf(ContextExtension::kYarn)))});
  }
  return {.chunk = chunk, .limit = trained - 1, .trained = trained};
}

StreamingWindow StreamingOf(const MemoryOptions& options, int64_t trained) {
  const StreamingWindow streaming{.sinks = WholePages(options.sinks),
                                  .window = WholePages(options.window)};
  if (streaming.MostSeen() > trained) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("{} sinks, a window of {} and the page of {} being read, in whole pages, are "
                    "{} tokens, and the model was made for {}",
                    streaming.sinks, streaming.window, kKvPageTokens, streaming.MostSeen(),
                    trained),
        {Advice::Lower(Setting::kWindow), Advice::Lower(Setting::kSinks)});
  }
  return streaming;
}

// Returns the factor by which YaRN must lengthen `trained` tokens. It is the same for many lengths,
// so that their memories can be shared.
double YarnFactor(const RopeConfig& rope, int64_t trained, int64_t tokens) {
  if ((rope.type != RopeScalingType::kNone && rope.type != RopeScalingType::kYarn) ||
      !rope.divisors.empty() || rope.base <= 1) {
    throw Error(Code::kInvalidArgument,
                "YaRN does not go with the scaling of RoPE that the model has",
                {Advice::Use(Setting::kLonger, std::string(NameOf(ContextExtension::kDca)))});
  }
  double factor = 2;
  while (static_cast<double>(trained) * factor < static_cast<double>(tokens)) factor *= 2;
  return factor;
}

PositionScheme SchemeOf(const DecoderConfig& config, const MemoryOptions& options,
                        int64_t max_tokens) {
  const int64_t trained = config.chunks ? config.chunks->trained : config.context;
  PositionScheme scheme;
  scheme.rope_tokens = max_tokens;
  if (options.window > 0) {
    scheme.streaming = StreamingOf(options, trained);
    scheme.rope_tokens = scheme.streaming->MostSeen();
    return scheme;
  }
  if (!options.longer || options.longer == ContextExtension::kDca) scheme.chunks = config.chunks;
  if (options.longer == ContextExtension::kDca && !scheme.chunks && max_tokens > trained) {
    scheme.chunks = StandardChunks(trained);
  }
  if (scheme.chunks) scheme.rope_tokens = std::min(max_tokens, trained);
  if (options.longer == ContextExtension::kYarn && max_tokens > trained) {
    scheme.yarn_tokens = config.chunks ? trained : config.rope.original_context;
    scheme.yarn_factor = YarnFactor(config.rope, scheme.yarn_tokens, max_tokens);
  }
  return scheme;
}

void Check(const MemoryOptions& options) {
  const auto refuse = [](const std::string& why, std::vector<Advice> advice = {}) {
    throw Error(Code::kInvalidArgument, why, std::move(advice));
  };
  if (options.max_tokens < 0) {
    refuse(fmt::format("a memory for {} tokens was asked for", options.max_tokens));
  }
  const double mass = options.attention_mass.value_or(1);
  if (!(mass > 0 && mass <= 1)) {
    refuse(fmt::format("the mass of sparse attention is above 0 and at most 1, not {}", mass));
  }
  if (options.window < 0 || options.sinks < 0 || options.window > kEndless / 4 ||
      options.sinks > kEndless / 4) {
    refuse(fmt::format("a window of {} tokens and {} sinks were asked for", options.window,
                       options.sinks));
  }
  if (options.sinks > 0 && options.window == 0) {
    refuse("sinks need a window", {Advice::Use(Setting::kWindow)});
  }
  if (options.window > 0 && options.longer) {
    refuse("a window forgets what ways to read longer texts would keep",
           {Advice::LeaveOut(Setting::kWindow), Advice::LeaveOut(Setting::kLonger)});
  }
  if (options.window > 0 && mass < 1) {
    refuse("a window and sparse attention exclude each other",
           {Advice::LeaveOut(Setting::kWindow), Advice::LeaveOut(Setting::kAttention)});
  }
}

std::optional<SparseAttention> SparseOf(const ModelFacts& facts, const MemoryOptions& options) {
  const double mass = options.attention_mass.value_or(1);
  if (mass >= 1 || !facts.has_attention() || facts.segment_tokens > 0) return std::nullopt;
  return SparseAttention{.mass = mass, .summaries = KeySummaries(facts.kv), .use = {}};
}

void Limit(PagedKv& kv, const MemoryOptions& options) {
  if (!options.resident_bytes) return;
  kv.Limit(*options.resident_bytes, std::make_shared<SpillFile>(options.spill_folder));
}

}  // namespace

Memory NewDecoderMemory(const DecoderConfig& config, const ModelFacts& facts,
                        const MemoryOptions& options) {
  Check(options);
  const int64_t max_tokens = options.max_tokens > 0 ? options.max_tokens
                             : options.window > 0   ? kEndless
                                                    : facts.trained_tokens;
  const PositionScheme scheme = SchemeOf(config, options, max_tokens);
  const KvType type = options.kv.value_or(facts.kv_type);
  // A streaming memory has one type: all that it sees is local.
  PagedKv kv(facts.kv, scheme.streaming ? KvTypes{type, type} : KvTypesOf(type, facts.kv_type));
  if (!scheme.streaming) Limit(kv, options);
  return {std::move(kv), max_tokens, SparseOf(facts, options), scheme};
}

Memory NewRecurrentMemory(const ModelFacts& facts, const MemoryOptions& options) {
  Check(options);
  if (options.window > 0 ||
      options.longer.value_or(ContextExtension::kNone) != ContextExtension::kNone) {
    throw Error(
        Code::kInvalidArgument,
        "this model has layers whose memory has a constant size: it takes texts of any length as "
        "it is, and goes with no window and no other way to read longer ones",
        {Advice::Use(Setting::kLonger, std::string(NameOf(ContextExtension::kNone))),
         Advice::LeaveOut(Setting::kWindow)});
  }
  const int64_t max_tokens = options.max_tokens > 0 ? options.max_tokens : facts.trained_tokens;
  std::optional<PagedKv> kv;
  if (facts.has_attention()) {
    const KvType type = options.kv.value_or(facts.kv_type);
    // The keys and values of a segment are few, and are dropped at its end.
    const bool segments = facts.segment_tokens > 0;
    kv.emplace(facts.kv, segments ? KvTypes{type, type} : KvTypesOf(type, facts.kv_type));
    if (!segments) Limit(*kv, options);
  }
  return {Recurrent(facts.recurrent), std::move(kv), max_tokens, SparseOf(facts, options),
          facts.segment_tokens};
}

namespace {

std::string LengthenedBy(const DecoderConfig& config) {
  if (config.chunks) return std::string(NameOf(ContextExtension::kDca));
  return config.rope.type == RopeScalingType::kNone ? "" : std::string(NameOf(config.rope.type));
}

int64_t NativeTokens(const DecoderConfig& config) {
  if (config.chunks) return std::min(config.chunks->trained, config.context);
  return config.rope.type == RopeScalingType::kNone || config.rope.original_context == 0
             ? config.context
             : std::min(config.rope.original_context, config.context);
}

}  // namespace

ModelFacts FactsOf(const RecurrentFacts& facts, const Weights& weights) {
  ModelFacts result;
  result.architecture = facts.architecture;
  result.vocabulary = facts.vocabulary;
  result.trained_tokens = facts.context;
  result.native_tokens = facts.context;
  result.layers = facts.layers;
  result.parameters = weights.parameters();
  result.linear = weights.linear();
  result.head = weights.head();
  result.linear_parameters = result.head.elements;
  for (const LinearWeights& linear : result.linear) result.linear_parameters += linear.elements;
  result.kv_type = weights.compute().kernels.kv_type;
  result.recurrent = facts.recurrent;
  return result;
}

ModelFacts FactsOf(const DecoderConfig& config, const std::string& architecture,
                   const Weights& weights) {
  const int64_t q_width = config.heads * config.head_size;
  const int64_t kv_width = config.kv_heads * config.head_size;
  const int64_t layer = config.width * (2 * q_width + 2 * kv_width + 3 * config.ffn_width);
  return {
      .architecture = architecture,
      .vocabulary = config.vocabulary,
      .trained_tokens = config.context,
      .native_tokens = NativeTokens(config),
      .lengthened_by = LengthenedBy(config),
      .layers = config.layers,
      .parameters = weights.parameters(),
      .linear_parameters = config.layers * layer + config.vocabulary * config.width,
      .linear = weights.linear(),
      .head = weights.head(),
      .kv = {.layers = config.layers, .kv_heads = config.kv_heads, .head_size = config.head_size},
      .kv_type = weights.compute().kernels.kv_type,
      .rope_by_length = config.rope.type == RopeScalingType::kDynamicNtk ||
                        config.rope.type == RopeScalingType::kLongRope,
      .attention_width = config.layers * q_width};
}

}  // namespace tome
