// Writes the tiny encoders of tests/golden/encoders as Hugging Face folders and as GGUF files.
#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/models/golden_model.h"
#include "tome/formats/gguf_writer.h"
#include "tome/models/bert.h"
#include "tome/models/encoder.h"

namespace tome {

inline std::filesystem::path GoldenEncoderFolder() {
  return std::filesystem::path(TOME_SOURCE_DIR) / "tests/golden/encoders";
}

// A tensor of a golden encoder. Its values follow from its plain name in transformers.
struct GoldenEncoderTensor {
  std::string name;
  Shape shape;
};

inline std::vector<GoldenEncoderTensor> BertTensors(const nlohmann::json& config) {
  const int64_t d = config.at("hidden_size");
  const int64_t f = config.at("intermediate_size");
  std::vector<GoldenEncoderTensor> tensors;
  const auto add = [&](const std::string& name, Shape shape) { tensors.push_back({name, shape}); };
  const auto add_both = [&](const std::string& stem, Shape shape) {
    add(stem + ".weight", shape);
    add(stem + ".bias", {shape[0]});
  };
  add("embeddings.word_embeddings.weight", {config.at("vocab_size").get<int64_t>(), d});
  add("embeddings.position_embeddings.weight",
      {config.at("max_position_embeddings").get<int64_t>(), d});
  add("embeddings.token_type_embeddings.weight", {config.at("type_vocab_size").get<int64_t>(), d});
  add_both("embeddings.LayerNorm", {d});
  for (int64_t l = 0; l < config.at("num_hidden_layers").get<int64_t>(); ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    for (const char* part : {"query", "key", "value"}) {
      add_both(layer + "attention.self." + part, {d, d});
    }
    add_both(layer + "attention.output.dense", {d, d});
    add_both(layer + "attention.output.LayerNorm", {d});
    add_both(layer + "intermediate.dense", {f, d});
    add_both(layer + "output.dense", {d, f});
    add_both(layer + "output.LayerNorm", {d});
  }
  return tensors;
}

inline std::vector<float> ValuesOf(const GoldenEncoderTensor& tensor, const std::string& kind) {
  return GoldenTensor(tensor.name, static_cast<size_t>(tensor.shape.rows()),
                      static_cast<size_t>(tensor.shape.row_elements()), kind);
}

inline nlohmann::json GoldenEncoderConfig(const std::string& variant) {
  return nlohmann::json::parse(ReadText(GoldenEncoderFolder() / variant / "config.json"));
}

// Says how a checkpoint names its tensors.
enum class EncoderNames {
  kPlain,  // "embeddings.LayerNorm.weight"
  kOld,    // "bert.embeddings.LayerNorm.gamma", as BertForMaskedLM was saved
};

// Writes a folder with config.json and model.safetensors.
inline void WriteGoldenEncoder(const nlohmann::json& config, const std::filesystem::path& folder,
                               EncoderNames names = EncoderNames::kPlain) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << config;
  const std::string prefix = config.at("model_type") == "bert" ? "bert." : "roberta.";
  const std::vector<GoldenEncoderTensor> tensors = BertTensors(config);
  std::vector<TensorPlan> plans;
  for (const GoldenEncoderTensor& tensor : tensors) {
    std::string name = tensor.name;
    if (names == EncoderNames::kOld) {
      name = prefix + name;
      if (name.ends_with("LayerNorm.weight")) name.replace(name.size() - 6, 6, "gamma");
      if (name.ends_with("LayerNorm.bias")) name.replace(name.size() - 4, 4, "beta");
    }
    plans.push_back({.name = name, .dtype = DType::kF32, .shape = tensor.shape});
  }
  SafetensorsWriter writer(folder / "model.safetensors", plans, {{"format", "pt"}});
  for (const GoldenEncoderTensor& tensor : tensors) {
    const std::vector<float> values = ValuesOf(tensor, config.at("model_type"));
    writer.Write(std::as_bytes(std::span<const float>(values)));
  }
  writer.Finish();
}

// Writes the same encoder as llama.cpp's converter does: under GGUF's names, and without the rows
// of positions that no token has.
inline void WriteGoldenEncoderGguf(const nlohmann::json& config, const std::filesystem::path& path,
                                   uint32_t pooling_type) {
  const int64_t skipped =
      config.at("model_type") == "bert" ? 0 : config.at("pad_token_id").get<int64_t>() + 1;
  GgufPairs pairs;
  const auto number = [&](const char* key) { return config.at(key).get<uint32_t>(); };
  pairs.SetString("general.architecture", "bert");
  pairs.SetUint32("bert.block_count", number("num_hidden_layers"));
  pairs.SetUint32("bert.context_length",
                  number("max_position_embeddings") - static_cast<uint32_t>(skipped));
  pairs.SetUint32("bert.embedding_length", number("hidden_size"));
  pairs.SetUint32("bert.feed_forward_length", number("intermediate_size"));
  pairs.SetUint32("bert.attention.head_count", number("num_attention_heads"));
  pairs.SetFloat32("bert.attention.layer_norm_epsilon", config.at("layer_norm_eps").get<float>());
  pairs.SetBool("bert.attention.causal", false);
  pairs.SetUint32("bert.pooling_type", pooling_type);
  const auto gguf_name = [](const std::string& hf) {
    for (const TensorName& row : BertArchitecture().tensors) {
      for (int64_t l = 0; l < 8; ++l) {
        if (LayerName(row.hf, l) == hf) return LayerName(row.gguf, l);
      }
    }
    ADD_FAILURE() << hf << " has no name in GGUF";
    return hf;
  };
  std::vector<TensorPlan> plans;
  std::vector<std::vector<float>> all;
  for (const GoldenEncoderTensor& tensor : BertTensors(config)) {
    std::vector<float> values = ValuesOf(tensor, config.at("model_type"));
    Shape shape = tensor.shape;
    if (tensor.name == "embeddings.position_embeddings.weight") {
      values.erase(values.begin(), values.begin() + skipped * shape[1]);
      shape = {shape[0] - skipped, shape[1]};
    }
    plans.push_back({.name = gguf_name(tensor.name), .dtype = DType::kF32, .shape = shape});
    all.push_back(std::move(values));
  }
  GgufWriter writer(path, pairs, plans);
  for (const std::vector<float>& values : all) {
    writer.Write(std::as_bytes(std::span<const float>(values)));
  }
  writer.Finish();
}

// What transformers computed for a variant: sequences of several lengths, with their rows.
struct EncoderGolden {
  std::vector<std::vector<TokenId>> sequences;
  std::vector<int64_t> first_text;
  std::vector<float> rows;  // [tokens of all, width]

  std::vector<EncoderItem> Items() const {
    std::vector<EncoderItem> items;
    for (size_t s = 0; s < sequences.size(); ++s) {
      items.push_back({.tokens = sequences[s], .first_text = first_text[s]});
    }
    return items;
  }
};

inline EncoderGolden ReadEncoderGolden(const std::string& variant) {
  const auto file = Checkpoint::Open(GoldenEncoderFolder() / variant / "golden.safetensors");
  const auto tokens = ReadValues<TokenId>(*file.Find("tokens"));
  EncoderGolden golden{.sequences = {}, .first_text = {}, .rows = {}};
  auto at = tokens.begin();
  for (const int32_t length : ReadValues<int32_t>(*file.Find("lengths"))) {
    golden.sequences.emplace_back(at, at + length);
    at += length;
  }
  for (const int32_t first : ReadValues<int32_t>(*file.Find("first_text"))) {
    golden.first_text.push_back(first);
  }
  golden.rows = ReadValues<float>(*file.Find("rows"));
  return golden;
}

inline std::unique_ptr<Encoder> LoadEncoderAt(const std::filesystem::path& path,
                                              const Compute& compute,
                                              EncoderWeights weights = EncoderWeights::kAsStored) {
  return LoadEncoder(std::make_shared<const Checkpoint>(Checkpoint::Open(path)), weights, compute);
}

}  // namespace tome
