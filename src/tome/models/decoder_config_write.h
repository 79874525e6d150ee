// The settings of a dense decoder as the other container writes them; the inverse of
// ReadDecoderConfig.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tome/formats/gguf_writer.h"
#include "tome/models/architecture.h"
#include "tome/models/decoder_config.h"

namespace tome {

// A short F32 vector that belongs to the settings: GGUF keeps lists of RoPE factors as tensors.
struct SettingsTensor {
  std::string name;
  std::vector<float> values;
};

// Sets the keys and gives the tensors to write with them. What GGUF cannot say is added to `notes`.
std::vector<SettingsTensor> WriteGgufConfig(const DecoderConfig& config, const Architecture& target,
                                            GgufPairs& pairs, std::vector<std::string>& notes);

// config.json, in the form that all versions of transformers read. `tied`: the embedding is the
// output head.
nlohmann::ordered_json HfConfigOf(const DecoderConfig& config, const Architecture& target,
                                  bool tied);

}  // namespace tome
