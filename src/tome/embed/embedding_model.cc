#include "tome/embed/embedding_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/file.h"
#include "tome/embed/text_parts.h"
#include "tome/models/files_key.h"
#include "tome/models/tokenizer_of.h"
#include "tome/tensor/codec.h"
#include "tome/text/sentences.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Tokens of one forward pass: enough that products are efficient, and few enough that the rows stay
// in the L2 cache.
constexpr int64_t kBatchTokens = 512;
// Tokens that a text must have room for beside its prefix and the special tokens.
constexpr int64_t kLeastRoom = 16;

std::string NameIn(const Checkpoint& checkpoint) {
  if (checkpoint.container() == Container::kSafetensors) return {};
  return std::string(checkpoint.metadata().String("general.name").value_or(""));
}

std::vector<float> Decoded(const TensorView& tensor) {
  const Tensor floats = DecodeTensor(tensor);
  return {floats.floats().begin(), floats.floats().end()};
}

// Divides a row by its length, unless that is zero.
void MakeUnit(std::span<float> row) {
  double squares = 0;
  for (const float value : row) squares += double{value} * double{value};
  const double length = std::max(std::sqrt(squares), 1e-12);
  for (float& value : row) value = static_cast<float>(double{value} / length);
}

std::span<float> RowOf(Tensor& tensor, int64_t row) {
  const int64_t width = tensor.shape()[1];
  return tensor.floats().subspan(static_cast<size_t>(row * width), static_cast<size_t>(width));
}

}  // namespace

std::unique_ptr<EmbeddingModel> EmbeddingModel::Open(const std::filesystem::path& path,
                                                     const EmbeddingOptions& options) {
  auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::Open(path));
  std::unique_ptr<EmbeddingModel> model(new EmbeddingModel());
  model->path_ = path;
  model->name_ = LastNameOf(path);
  model->weights_ = options.weights;
  const int threads = options.threads > 0 ? options.threads : ProcessorCount();
  model->threads_ = std::make_unique<ThreadPool>(threads);
  for (int i = 0; i < threads; ++i) model->singles_.push_back(std::make_unique<ThreadPool>(1));
  model->checkpoint_ = checkpoint;
  model->encoder_ = LoadEncoder(checkpoint, options.weights, {model->kernels_, *model->threads_});
  model->tokenizer_ = TokenizerOf(*checkpoint);
  model->notes_ = TokenizerNotes(*checkpoint);
  try {
    model->ReadFiles(*checkpoint);
  } catch (const Error& error) {
    throw error.In(path.string());
  }
  return model;
}

void EmbeddingModel::ReadFiles(const Checkpoint& checkpoint) {
  const SentenceFiles files = ReadSentenceFiles([&](const std::string& name) {
    std::string text = checkpoint.SideFile(name);
    settings_ += fmt::format("{}: {}\n", name, text);
    return text;
  });
  for (const char* const name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
    settings_ += fmt::format("{}: {}\n", name, checkpoint.SideFile(name));
  }
  facts_.encoder = encoder_->facts();
  facts_.width = facts_.encoder.width;
  facts_.max_tokens =
      std::min(facts_.encoder.max_tokens, files.max_tokens.value_or(facts_.encoder.max_tokens));
  if (!files.pooling && !facts_.encoder.pooling) {
    notes_.push_back(fmt::format(
        "{} does not say how the rows of its tokens become one vector (1_Pooling/config.json); "
        "their mean is taken",
        name_));
  }
  facts_.pooling = files.pooling.value_or(facts_.encoder.pooling.value_or(Pooling::kMean));
  if (files.lower_case) lower_case_.push_back(LowercaseStep());
  if (files.query_prompt || files.passage_prompt) {
    facts_.query_prefix = files.query_prompt.value_or("");
    facts_.passage_prefix = files.passage_prompt.value_or("");
    facts_.prefix_source = "config_sentence_transformers.json";
  } else if (auto family = PromptFamilyOf(name_); family || !NameIn(checkpoint).empty()) {
    if (!family) family = PromptFamilyOf(NameIn(checkpoint));
    if (family) {
      facts_.query_prefix = family->query;
      facts_.passage_prefix = family->passage;
      facts_.prefix_source = family->name;
    }
  }
  const bool prompted = !facts_.query_prefix.empty() || !facts_.passage_prefix.empty();
  if (files.leaves_out_prompt && prompted) {
    throw Error(Code::kUnsupported,
                "1_Pooling/config.json: include_prompt is false, and pooling without the prompt's "
                "tokens is not computed");
  }
  for (const DenseModule& module : files.dense) {
    dense_.push_back({.module = module, .weight = {}, .bias = {}});
  }
  BindDense(checkpoint);
  for (const TextRole role : {TextRole::kQuery, TextRole::kPassage}) {
    const int64_t around = CountTokens("", role);
    if (around + kLeastRoom > facts_.max_tokens) {
      throw Error(Code::kUnsupported,
                  fmt::format("a text may have {} tokens, of which {} are its prefix and special "
                              "tokens; no less than {} must be left",
                              facts_.max_tokens, around, kLeastRoom));
    }
  }
}

void EmbeddingModel::BindDense(const Checkpoint& checkpoint) {
  for (Dense& dense : dense_) {
    const DenseModule& module = dense.module;
    if (module.in != facts_.width) {
      throw Error(Code::kCorrupt,
                  fmt::format("{}/config.json: in_features is {}, and rows have {} values",
                              module.folder, module.in, facts_.width));
    }
    const auto path = checkpoint.SidePath(module.folder + "/model.safetensors");
    if (path.empty()) {
      throw Error(
          Code::kNotFound,
          fmt::format("{}/model.safetensors is missing; PyTorch's pickle files can run code "
                      "and are not read",
                      module.folder));
    }
    const Checkpoint weights = Checkpoint::Open(path);
    dense.weight = Decoded(weights.Bind("linear.weight", Shape{module.out, module.in}));
    if (module.has_bias) dense.bias = Decoded(weights.Bind("linear.bias", Shape{module.out}));
    const auto bytes = weights.Files().front();
    settings_ += KeyOf(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()))
                     .ToString();
    facts_.width = module.out;
  }
}

SnapshotKey EmbeddingModel::Key() const {
  std::call_once(hashed_, [&] {
    const std::string settings =
        fmt::format("{}\nweights {}\nprefixes \"{}\" \"{}\"", settings_,
                    NameOf(facts_.encoder.weights), facts_.query_prefix, facts_.passage_prefix);
    key_ = FilesKeyOf(*checkpoint_, settings, *threads_);
  });
  return key_;
}

std::vector<TokenId> EmbeddingModel::Encode(std::string_view text, TextRole role) const {
  std::string whole = role == TextRole::kQuery ? facts_.query_prefix : facts_.passage_prefix;
  whole += text;
  return tokenizer_->Encode(Normalized(lower_case_, whole), Specials::kLiteral, {});
}

int64_t EmbeddingModel::CountTokens(std::string_view text, TextRole role) const {
  return static_cast<int64_t>(Encode(text, role).size());
}

std::vector<EmbeddingModel::Part> EmbeddingModel::PartsOf(std::span<const std::string_view> texts,
                                                          TextRole role,
                                                          const WorkControl& control) const {
  std::vector<std::vector<Part>> of_text(texts.size());
  std::vector<std::unique_ptr<SentenceSplitter>> splitters(singles_.size());
  threads_->ParallelFor(static_cast<int64_t>(texts.size()), [&](int64_t i, int worker) {
    control.CheckStop();
    std::string repaired;
    std::string_view text = texts[static_cast<size_t>(i)];
    if (!IsValidUtf8(text)) text = repaired = NormalizeText(text);
    std::vector<Part>& parts = of_text[static_cast<size_t>(i)];
    parts.push_back({.text = i, .tokens = Encode(text, role)});
    if (static_cast<int64_t>(parts[0].tokens.size()) <= facts_.max_tokens) return;
    parts.clear();
    auto& splitter = splitters[static_cast<size_t>(worker)];
    if (splitter == nullptr) splitter = std::make_unique<SentenceSplitter>();
    const auto count = [&](std::string_view part) { return CountTokens(part, role); };
    for (const std::string_view part : SplitToFit(text, facts_.max_tokens, count, *splitter)) {
      parts.push_back({.text = i, .tokens = Encode(part, role)});
    }
  });
  std::vector<Part> parts;
  parts.reserve(texts.size());
  for (std::vector<Part>& own : of_text) {
    std::move(own.begin(), own.end(), std::back_inserter(parts));
  }
  return parts;
}

void EmbeddingModel::ApplyDense(Tensor& pooled) const {
  for (const Dense& dense : dense_) {
    Tensor mapped(DType::kF32, {pooled.shape()[0], dense.module.out}, Fill::kNone);
    for (int64_t r = 0; r < pooled.shape()[0]; ++r) {
      const std::span<const float> x = RowOf(pooled, r);
      const std::span<float> y = RowOf(mapped, r);
      for (size_t o = 0; o < y.size(); ++o) {
        const float* const w = dense.weight.data() + o * x.size();
        double sum = dense.bias.empty() ? 0 : double{dense.bias[o]};
        for (size_t i = 0; i < x.size(); ++i) sum += double{w[i]} * double{x[i]};
        y[o] = static_cast<float>(dense.module.tanh ? std::tanh(sum) : sum);
      }
    }
    pooled = std::move(mapped);
  }
}

void EmbeddingModel::EmbedBatch(std::span<const Part* const> batch, std::span<const Part> parts,
                                Tensor& rows, const Compute& compute) const {
  std::vector<EncoderItem> items;
  items.reserve(batch.size());
  for (const Part* const part : batch) items.push_back({.tokens = part->tokens});
  Tensor pooled = encoder_->Forward(items, facts_.pooling, compute);
  ApplyDense(pooled);
  for (size_t i = 0; i < batch.size(); ++i) {
    const std::span<float> row = RowOf(pooled, static_cast<int64_t>(i));
    MakeUnit(row);
    std::copy(row.begin(), row.end(), RowOf(rows, batch[i] - parts.data()).begin());
  }
}

void EmbeddingModel::EmbedParts(std::span<const Part> parts, Tensor& rows,
                                const WorkControl& control) const {
  std::vector<const Part*> sorted;
  uint64_t total = 0;
  for (const Part& part : parts) {
    sorted.push_back(&part);
    total += part.tokens.size();
  }
  // Long parts first, so that the threads end at about the same time.
  std::stable_sort(sorted.begin(), sorted.end(), [](const Part* a, const Part* b) {
    return a->tokens.size() > b->tokens.size();
  });
  std::vector<std::span<const Part* const>> batches;
  const std::span<const Part* const> all(sorted);
  for (size_t begin = 0; begin < sorted.size();) {
    int64_t tokens = 0;
    size_t end = begin;
    while (end < sorted.size() && (end == begin || tokens < kBatchTokens)) {
      tokens += static_cast<int64_t>(sorted[end++]->tokens.size());
    }
    batches.push_back(all.subspan(begin, end - begin));
    begin = end;
  }
  std::atomic<uint64_t> done{0};
  const auto embed = [&](int64_t i, const Compute& compute) {
    control.CheckStop();
    const auto batch = batches[static_cast<size_t>(i)];
    EmbedBatch(batch, parts, rows, compute);
    uint64_t tokens = 0;
    for (const Part* const part : batch) tokens += part->tokens.size();
    done += tokens;
  };
  const auto count = static_cast<int64_t>(batches.size());
  if (count < threads_->threads()) {  // few texts: all threads work on each batch
    for (int64_t i = 0; i < count; ++i) embed(i, {kernels_, *threads_});
    return;
  }
  // Threads with a batch each need not wait for each other, and their rows stay in their caches.
  std::mutex reporting;
  threads_->ParallelFor(count, [&](int64_t i, int worker) {
    embed(i, {kernels_, *singles_[static_cast<size_t>(worker)]});
    const std::lock_guard lock(reporting);
    control.Report("embedding", done, total);
  });
}

Embeddings EmbeddingModel::Embed(std::span<const std::string_view> texts, TextRole role,
                                 const WorkControl& control) const {
  const std::vector<Part> parts = PartsOf(texts, role, control);
  const auto count = static_cast<int64_t>(texts.size());
  Tensor rows(DType::kF32, {static_cast<int64_t>(parts.size()), facts_.width}, Fill::kNone);
  EmbedParts(parts, rows, control);
  Embeddings out{.vectors = Tensor(DType::kF32, {count, facts_.width}, Fill::kZero),
                 .tokens = std::vector<int64_t>(texts.size()),
                 .split = {}};
  for (size_t p = 0; p < parts.size(); ++p) {
    const int64_t text = parts[p].text;
    const auto tokens = static_cast<int64_t>(parts[p].tokens.size());
    out.tokens[static_cast<size_t>(text)] += tokens;
    const std::span<const float> row = RowOf(rows, static_cast<int64_t>(p));
    const std::span<float> vector = RowOf(out.vectors, text);
    const bool first = p == 0 || parts[p - 1].text != text;
    const bool last = p + 1 == parts.size() || parts[p + 1].text != text;
    if (first && last) {
      std::copy(row.begin(), row.end(), vector.begin());
      continue;
    }
    const auto weight = static_cast<float>(tokens);
    for (size_t i = 0; i < vector.size(); ++i) vector[i] += weight * row[i];
    if (!last) continue;
    MakeUnit(vector);
    out.split.push_back(text);
  }
  return out;
}

}  // namespace tome
