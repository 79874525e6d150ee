// These functions write a dense decoder's settings for the other container: the inverse of
// ReadDecoderConfig.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

#include "tome/formats/gguf_writer.h"
#include "tome/models/architecture.h"
#include "tome/models/decoder_config.h"

namespace tome {

// A SettingsTensor is a short F32 vector that belongs to the settings: GGUF keeps lists of RoPE
// factors as tensors.
struct SettingsTensor {
  std::string name;
  std::vector<float> values;
};

// Sets the keys in `pairs` and returns the tensors to write with them. Adds a note for every
// setting that GGUF cannot express.
std::vector<SettingsTensor> WriteGgufConfig(const DecoderConfig& config, const Architecture& target,
                                            GgufPairs& pairs, std::vector<std::string>& notes);

// Returns config.json, in the form that all versions of transformers read. `tied` says that the
// embedding is also the output head.
nlohmann::ordered_json HfConfigOf(const DecoderConfig& config, const Architecture& target,
                                  bool tied);

}  // namespace tome
