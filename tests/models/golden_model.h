// Writes the tiny models of tests/golden/models as Hugging Face folders.
#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "tests/golden_weights.h"
#include "tests/temp_folder.h"
#include "tome/formats/checkpoint.h"
#include "tome/formats/safetensors_writer.h"
#include "tome/kernels/kernel_set.h"
#include "tome/models/registry.h"

namespace tome {

inline std::filesystem::path GoldenFolder() {
  return std::filesystem::path(TOME_SOURCE_DIR) / "tests/golden/models";
}

inline std::vector<std::string> GoldenVariants() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenFolder())) {
    if (entry.is_directory() && std::filesystem::exists(entry.path() / "config.json")) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Returns the variants without recurrent layers, which are converted between the containers and
// kept in stores.
inline std::vector<std::string> DenseVariants() {
  std::vector<std::string> names = GoldenVariants();
  std::erase_if(names, [](const std::string& name) {
    return name.starts_with("mamba") || name.starts_with("jamba");
  });
  return names;
}

inline std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Adds the tensors of Mamba's mixer. Jamba names them alike, except that it adds norms of its
// steps.
template <typename Add>
void AddMambaMixer(const nlohmann::json& config, const std::string& prefix, int64_t inner,
                   int64_t states, int64_t width, int64_t rank, const Add& add) {
  const int64_t d = config.at("hidden_size");
  add(prefix + "in_proj.weight", {2 * inner, d});
  add(prefix + "conv1d.weight", {inner, 1, width});
  add(prefix + "conv1d.bias", {inner});
  add(prefix + "x_proj.weight", {rank + 2 * states, inner});
  add(prefix + "dt_proj.weight", {inner, rank});
  add(prefix + "dt_proj.bias", {inner});
  add(prefix + "A_log", {inner, states});
  add(prefix + "D", {inner});
  add(prefix + "out_proj.weight", {d, inner});
}

// Returns the tensors of Mamba and Mamba-2.
inline std::vector<TensorPlan> GoldenStateSpaceTensors(const nlohmann::json& config) {
  const int64_t d = config.at("hidden_size");
  const int64_t v = config.at("vocab_size");
  const int64_t inner = config.at("expand").get<int64_t>() * d;
  const int64_t states = config.at("state_size");
  const int64_t width = config.at("conv_kernel");
  std::vector<TensorPlan> tensors;
  const auto add = [&](const std::string& name, Shape shape) {
    tensors.push_back({.name = name, .dtype = DType::kF32, .shape = shape});
  };
  add("backbone.embeddings.weight", {v, d});
  for (int64_t l = 0; l < config.at("num_hidden_layers").get<int64_t>(); ++l) {
    const std::string layer = "backbone.layers." + std::to_string(l) + ".";
    const std::string mixer = layer + "mixer.";
    add(layer + "norm.weight", {d});
    if (config.at("model_type") == "mamba") {
      AddMambaMixer(config, mixer, inner, states, width, config.at("time_step_rank"), add);
      continue;
    }
    const int64_t heads = config.at("num_heads");
    const int64_t convolved = inner + 2 * config.at("n_groups").get<int64_t>() * states;
    add(mixer + "in_proj.weight", {inner + convolved + heads, d});
    add(mixer + "conv1d.weight", {convolved, 1, width});
    add(mixer + "conv1d.bias", {convolved});
    add(mixer + "dt_bias", {heads});
    add(mixer + "A_log", {heads});
    add(mixer + "D", {heads});
    add(mixer + "norm.weight", {inner});
    add(mixer + "out_proj.weight", {d, inner});
  }
  add("backbone.norm_f.weight", {d});
  if (!config.value("tie_word_embeddings", true)) add("lm_head.weight", {v, d});
  return tensors;
}

// Returns the tensors of Jamba.
inline std::vector<TensorPlan> GoldenJambaTensors(const nlohmann::json& config) {
  const auto number = [&](const char* key) { return config.at(key).get<int64_t>(); };
  const int64_t d = number("hidden_size");
  const int64_t f = number("intermediate_size");
  const int64_t kv = d / number("num_attention_heads") * number("num_key_value_heads");
  const int64_t states = number("mamba_d_state");
  const int64_t rank = number("mamba_dt_rank");
  std::vector<TensorPlan> tensors;
  const auto add = [&](const std::string& name, Shape shape) {
    tensors.push_back({.name = name, .dtype = DType::kF32, .shape = shape});
  };
  const auto add_network = [&](const std::string& prefix) {
    add(prefix + "gate_proj.weight", {f, d});
    add(prefix + "up_proj.weight", {f, d});
    add(prefix + "down_proj.weight", {d, f});
  };
  add("model.embed_tokens.weight", {number("vocab_size"), d});
  for (int64_t l = 0; l < number("num_hidden_layers"); ++l) {
    const std::string layer = "model.layers." + std::to_string(l) + ".";
    add(layer + "input_layernorm.weight", {d});
    add(layer + "pre_ff_layernorm.weight", {d});
    if (l % number("attn_layer_period") == number("attn_layer_offset")) {
      add(layer + "self_attn.q_proj.weight", {d, d});
      add(layer + "self_attn.k_proj.weight", {kv, d});
      add(layer + "self_attn.v_proj.weight", {kv, d});
      add(layer + "self_attn.o_proj.weight", {d, d});
    } else {
      const std::string mixer = layer + "mamba.";
      AddMambaMixer(config, mixer, number("mamba_expand") * d, states, number("mamba_d_conv"), rank,
                    add);
      add(mixer + "dt_layernorm.weight", {rank});
      add(mixer + "b_layernorm.weight", {states});
      add(mixer + "c_layernorm.weight", {states});
    }
    if (l % number("expert_layer_period") == number("expert_layer_offset")) {
      add(layer + "feed_forward.router.weight", {number("num_experts"), d});
      for (int64_t e = 0; e < number("num_experts"); ++e) {
        add_network(layer + "feed_forward.experts." + std::to_string(e) + ".");
      }
    } else {
      add_network(layer + "feed_forward.");
    }
  }
  add("model.final_layernorm.weight", {d});
  if (!config.value("tie_word_embeddings", false)) add("lm_head.weight", {number("vocab_size"), d});
  return tensors;
}

// Returns the names and shapes of a variant's tensors, with the names that transformers uses.
inline std::vector<TensorPlan> GoldenTensors(const nlohmann::json& config) {
  const std::string type = config.at("model_type");
  if (type == "mamba" || type == "mamba2") return GoldenStateSpaceTensors(config);
  if (type == "jamba") return GoldenJambaTensors(config);
  const int64_t d = config.at("hidden_size");
  const int64_t f = config.at("intermediate_size");
  const int64_t v = config.at("vocab_size");
  const int64_t heads = config.at("num_attention_heads");
  const int64_t kv_heads = config.at("num_key_value_heads");
  const int64_t size = config.contains("head_dim") && !config.at("head_dim").is_null()
                           ? config.at("head_dim").get<int64_t>()
                           : d / heads;
  std::vector<TensorPlan> tensors;
  const auto add = [&](const std::string& name, Shape shape) {
    tensors.push_back({.name = name, .dtype = DType::kF32, .shape = shape});
  };
  add("model.embed_tokens.weight", {v, d});
  for (int64_t l = 0; l < config.at("num_hidden_layers").get<int64_t>(); ++l) {
    const std::string layer = "model.layers." + std::to_string(l) + ".";
    const std::string attention = layer + "self_attn.";
    if (type == "phi3") {
      add(attention + "qkv_proj.weight", {(heads + 2 * kv_heads) * size, d});
      add(layer + "mlp.gate_up_proj.weight", {2 * f, d});
    } else {
      add(attention + "q_proj.weight", {heads * size, d});
      add(attention + "k_proj.weight", {kv_heads * size, d});
      add(attention + "v_proj.weight", {kv_heads * size, d});
      add(layer + "mlp.gate_proj.weight", {f, d});
      add(layer + "mlp.up_proj.weight", {f, d});
    }
    if (type == "qwen2" || config.value("attention_bias", false)) {
      add(attention + "q_proj.bias", {heads * size});
      add(attention + "k_proj.bias", {kv_heads * size});
      add(attention + "v_proj.bias", {kv_heads * size});
      if (type != "qwen2") add(attention + "o_proj.bias", {d});
    }
    if (type == "qwen3") {
      add(attention + "q_norm.weight", {size});
      add(attention + "k_norm.weight", {size});
    }
    add(attention + "o_proj.weight", {d, heads * size});
    add(layer + "mlp.down_proj.weight", {d, f});
    add(layer + "input_layernorm.weight", {d});
    add(layer + "post_attention_layernorm.weight", {d});
    if (type == "gemma2") {
      add(layer + "pre_feedforward_layernorm.weight", {d});
      add(layer + "post_feedforward_layernorm.weight", {d});
    }
  }
  add("model.norm.weight", {d});
  if (!config.value("tie_word_embeddings", type == "gemma2")) add("lm_head.weight", {v, d});
  return tensors;
}

// Parses a config.json. Python writes Infinity, which no JSON parser accepts, so 1e30 replaces it.
inline nlohmann::json ParseConfig(std::string text) {
  if (const size_t at = text.find("Infinity"); at != std::string::npos) text.replace(at, 8, "1e30");
  return nlohmann::json::parse(text);
}

// Writes a file of golden weights, which follow from a tensor's name, shape and `kind`
// (golden_weights.h). `change` may replace values of a tensor.
inline void WriteGoldenTensors(
    const std::filesystem::path& path, const std::vector<TensorPlan>& tensors,
    const std::string& kind,
    const std::function<void(const std::string& name, std::span<float> values)>& change = {}) {
  SafetensorsWriter writer(path, tensors, {{"format", "pt"}});
  for (const TensorPlan& tensor : tensors) {
    auto values = GoldenTensor(tensor.name, static_cast<size_t>(tensor.shape.rows()),
                               static_cast<size_t>(tensor.shape.row_elements()), kind);
    if (change) change(tensor.name, values);
    writer.Write(std::as_bytes(std::span<const float>(values)));
  }
  writer.Finish();
}

// Writes a tokenizer of single characters beside the weights, with the golden models' vocabulary
// size. The golden models come without one.
inline void WriteLetterTokenizer(const std::filesystem::path& folder) {
  nlohmann::json vocabulary;
  for (int i = 0; i < 64; ++i) vocabulary[std::string(1, static_cast<char>('!' + i))] = i;
  const nlohmann::json tokenizer{
      {"version", "1.0"},
      {"added_tokens", nlohmann::json::array()},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
      {"decoder", {{"type", "ByteLevel"}}},
      {"post_processor", nullptr},
      {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", nlohmann::json::array()}}}};
  std::ofstream(folder / "tokenizer.json") << tokenizer;
}

// Writes the variant's folder: config.json and model.safetensors.
inline void WriteGoldenModel(const std::string& variant, const std::filesystem::path& folder) {
  const std::string text = ReadText(GoldenFolder() / variant / "config.json");
  const nlohmann::json config = ParseConfig(text);
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << text;
  WriteGoldenTensors(folder / "model.safetensors", GoldenTensors(config), config.at("model_type"));
}

// Golden holds values that an independent implementation computed for a variant.
struct Golden {
  std::vector<TokenId> tokens;
  std::vector<TokenId> greedy;
  std::vector<float> logits;  // [tokens, vocabulary]
};

template <typename T>
std::vector<T> ReadValues(const TensorView& tensor) {
  std::vector<T> values(static_cast<size_t>(tensor.shape.elements()));
  std::memcpy(values.data(), tensor.data, values.size() * sizeof(T));
  return values;
}

inline Golden ReadGoldenIn(const std::filesystem::path& folder) {
  const auto file = Checkpoint::Open(folder / "golden.safetensors");
  return {.tokens = ReadValues<TokenId>(*file.Find("tokens")),
          .greedy = ReadValues<TokenId>(*file.Find("greedy")),
          .logits = ReadValues<float>(*file.Find("logits"))};
}
inline Golden ReadGolden(const std::string& variant) {
  return ReadGoldenIn(GoldenFolder() / variant);
}

// Returns the largest difference in any row of `width` logits, relative to the row's largest
// magnitude, or infinity where one is not a number.
inline double WorstDeviation(std::span<const float> logits, std::span<const float> expected,
                             size_t width) {
  double worst = 0;
  for (size_t row = 0; row + width <= expected.size(); row += width) {
    double largest = 0;
    double difference = 0;
    for (size_t i = row; i < row + width; ++i) {
      largest = std::max(largest, std::abs(double{expected[i]}));
      const double here = std::abs(double{logits[i]} - double{expected[i]});
      difference = std::isnan(here) ? HUGE_VAL : std::max(difference, here);
    }
    worst = std::max(worst, difference / largest);
  }
  return worst;
}

// Checks that all logits deviate by less than `tolerance` of a row's largest.
inline void ExpectAgreement(std::span<const float> logits, const Golden& golden, const Model& model,
                            double tolerance) {
  ASSERT_EQ(logits.size(), golden.logits.size());
  const double worst =
      WorstDeviation(logits, golden.logits, static_cast<size_t>(model.facts().vocabulary));
  testing::Test::RecordProperty("deviation", std::to_string(worst));
  EXPECT_LT(worst, tolerance);
}

// Returns the logits of all tokens, read into a memory in passes of `chunk`.
inline std::vector<float> LogitsInPasses(const Model& model, Memory& memory,
                                         std::span<const TokenId> tokens, int64_t chunk,
                                         const Compute& compute) {
  std::vector<float> logits;
  for (size_t begin = 0; begin < tokens.size(); begin += static_cast<size_t>(chunk)) {
    const size_t count = std::min(tokens.size() - begin, static_cast<size_t>(chunk));
    const BatchItem item{
        .memory = &memory, .tokens = tokens.subspan(begin, count), .logits = LogitsOf::kAll};
    const Tensor rows = model.Forward({&item, 1}, compute);
    logits.insert(logits.end(), rows.floats().begin(), rows.floats().end());
  }
  return logits;
}

// Returns the `count` tokens that greedy generation writes after a prompt.
inline std::vector<TokenId> GreedyTokens(const Model& model, Memory& memory,
                                         std::span<const TokenId> prompt, size_t count,
                                         const Compute& compute) {
  std::vector<TokenId> next(prompt.begin(), prompt.end());
  std::vector<TokenId> generated;
  while (generated.size() < count) {
    const BatchItem item{.memory = &memory, .tokens = next, .logits = LogitsOf::kLast};
    const Tensor logits = model.Forward({&item, 1}, compute);
    const auto best = std::max_element(logits.floats().begin(), logits.floats().end());
    generated.push_back(static_cast<TokenId>(best - logits.floats().begin()));
    next = {generated.back()};
  }
  return generated;
}

inline std::unique_ptr<Model> LoadModelIn(const std::filesystem::path& folder,
                                          const Compute& compute) {
  return LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(folder)), compute);
}

// GoldenModelTest has a golden model, which SetUp loads, and its golden values.
class GoldenModelTest : public testing::TestWithParam<std::string> {
 protected:
  // Returns the logits of all golden tokens, read into a memory in passes of `chunk`.
  std::vector<float> Logits(Memory& memory, int64_t chunk) const {
    return LogitsInPasses(*model_, memory, golden_.tokens, chunk, compute_);
  }

  TempFolder folder_;
  std::unique_ptr<Model> model_;
  Golden golden_;
  mutable ThreadPool threads_{2};
  Compute compute_{SelectKernelSet(), threads_};
};

}  // namespace tome
