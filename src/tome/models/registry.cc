#include "tome/models/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/models/bert.h"
#include "tome/models/gemma2.h"
#include "tome/models/hf_config.h"
#include "tome/models/infini.h"
#include "tome/models/jamba.h"
#include "tome/models/llama.h"
#include "tome/models/mamba.h"
#include "tome/models/phi3.h"
#include "tome/models/retnet.h"

namespace tome {

std::span<const Architecture> Architectures() {
  static const std::array kArchitectures{LlamaArchitecture(),       MistralArchitecture(),
                                         Qwen2Architecture(),       Qwen3Architecture(),
                                         Phi3Architecture(),        Gemma2Architecture(),
                                         MambaArchitecture(),       Mamba2Architecture(),
                                         JambaArchitecture(),       TorchscaleRetNetArchitecture(),
                                         FlaRetNetArchitecture(),   InfiniLlamaArchitecture(),
                                         InfiniQwen2Architecture(), InfiniQwen3Architecture(),
                                         BertArchitecture(),        XlmRobertaArchitecture(),
                                         RobertaArchitecture()};
  return kArchitectures;
}

namespace {

// Returns the model_type of transformers. The configurations of Mamba's authors have none and are
// recognized by their keys.
std::string HfModelType(const HfConfig& config) {
  if (const auto type = config.String("model_type")) return *type;
  if (!config.Has("d_model") || !config.Has("n_layer")) return "";
  return config.String("ssm_cfg.layer").value_or("") == "Mamba2" ? "mamba2" : "mamba";
}

}  // namespace

const Architecture& ArchitectureOf(const Checkpoint& checkpoint) {
  const bool gguf = checkpoint.container() == Container::kGguf;
  std::string name;
  std::optional<HfConfig> hf;
  if (gguf) {
    name = checkpoint.metadata().String("general.architecture").value_or("");
  } else {
    hf = HfConfig::Parse(checkpoint.SideFile("config.json"));
    name = HfModelType(*hf);
  }
  std::vector<std::string_view> known;
  for (const Architecture& architecture : Architectures()) {
    const std::string_view candidate = gguf ? architecture.name : architecture.hf_model_type;
    const bool keyed = !hf || architecture.hf_key.empty() || hf->Has(architecture.hf_key);
    if (gguf && !architecture.has_gguf) continue;
    if (candidate == name && keyed) return architecture;
    if (std::find(known.begin(), known.end(), candidate) == known.end()) known.push_back(candidate);
  }
  const char* const field = gguf ? "general.architecture" : "config.json: model_type";
  if (name.empty()) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: {} is missing, so it does not say what model it is; convert or "
                            "download the model again",
                            checkpoint.path().string(), field));
  }
  throw Error(Code::kUnsupported,
              fmt::format("{}: {} is \"{}\", an architecture that this version of Tome does not "
                          "run; take a model of one that it does: {}",
                          checkpoint.path().string(), field, name, fmt::join(known, ", ")));
}

namespace {

// Calls load(architecture), with the path before its errors.
template <typename Load>
auto LoadNamed(const Checkpoint& checkpoint, const Load& load) {
  const std::string path = checkpoint.path().string();
  try {
    return load(ArchitectureOf(checkpoint));
  } catch (const Error& error) {
    const std::string_view message = error.what();
    if (message.substr(0, path.size()) == path) throw;
    throw error.In(path);
  }
}

}  // namespace

std::unique_ptr<Model> LoadModel(std::shared_ptr<const Checkpoint> checkpoint,
                                 const Compute& compute) {
  return LoadNamed(*checkpoint, [&](const Architecture& architecture) {
    CheckIsModel(*checkpoint);
    return architecture.load(checkpoint, compute);
  });
}

void CheckIsModel(const Checkpoint& checkpoint) {
  const Architecture& architecture = ArchitectureOf(checkpoint);
  if (architecture.load != nullptr) return;
  throw Error(
      Code::kUnsupported,
      fmt::format("{}: is an embedding model ({}): it turns texts into vectors, to be found "
                  "by their meaning, and writes nothing; take a language model here",
                  checkpoint.path().string(), architecture.name));
}

std::unique_ptr<Encoder> LoadEncoder(std::shared_ptr<const Checkpoint> checkpoint,
                                     EncoderWeights weights, const Compute& compute) {
  return LoadNamed(*checkpoint, [&](const Architecture& architecture) {
    if (architecture.load_encoder == nullptr) {
      throw Error(Code::kUnsupported,
                  fmt::format("is a language model ({}) and makes no vectors of texts; take an "
                              "embedding model, such as BGE, E5 or MiniLM",
                              architecture.name));
    }
    return architecture.load_encoder(checkpoint, weights, compute);
  });
}

bool IsEncoder(const Checkpoint& checkpoint) {
  return ArchitectureOf(checkpoint).load_encoder != nullptr;
}

}  // namespace tome
