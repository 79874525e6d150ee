#include "tome/models/vocabulary.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "tome/base/error.h"

namespace tome {
namespace {

std::string Key(std::string_view name) { return fmt::format("tokenizer.ggml.{}", name); }

std::optional<TokenId> ReadId(const Metadata& metadata, std::string_view name) {
  const std::optional<int64_t> id = metadata.Int(Key(name));
  if (!id) return std::nullopt;
  // Writers without such a token store -1, some of them as an unsigned number.
  if (*id == -1 || *id == int64_t{UINT32_MAX}) return std::nullopt;
  if (*id < 0 || *id > int64_t{INT32_MAX}) {
    throw Error(Code::kCorrupt,
                fmt::format("{}: {} is no token; convert the model again", Key(name), *id));
  }
  return static_cast<TokenId>(*id);
}

std::vector<float> ReadScores(const Metadata& metadata) {
  const std::vector<double>* scores = metadata.Floats(Key("scores"));
  return scores == nullptr ? std::vector<float>()
                           : std::vector<float>(scores->begin(), scores->end());
}

std::vector<int32_t> ReadTypes(const Metadata& metadata) {
  std::vector<int32_t> types;
  const std::vector<int64_t>* values = metadata.Ints(Key("token_type"));
  if (values == nullptr) return types;
  types.reserve(values->size());
  // An unknown type becomes 0, which is no type in particular.
  for (const int64_t value : *values) {
    types.push_back(value >= 1 && value <= 6 ? static_cast<int32_t>(value) : 0);
  }
  return types;
}

// Reads an array of signed or unsigned bytes.
std::string ReadBytes(const Metadata& metadata, std::string_view name) {
  std::string bytes;
  const std::vector<int64_t>* values = metadata.Ints(Key(name));
  if (values == nullptr) return bytes;
  bytes.reserve(values->size());
  for (const int64_t value : *values) {
    if (value < -128 || value > 255) {
      throw Error(Code::kCorrupt,
                  fmt::format("{}: {} is no byte; convert the model again", Key(name), value));
    }
    bytes += static_cast<char>(value);
  }
  return bytes;
}

}  // namespace

VocabularySpec VocabularyFromMetadata(const Metadata& metadata) {
  VocabularySpec spec;
  const std::optional<std::string_view> model = metadata.String(Key("model"));
  const std::vector<std::string>* tokens = metadata.Strings(Key("tokens"));
  if (!model || *model == "none" || *model == "no_vocab" || tokens == nullptr) {
    throw Error(
        Code::kNotFound,
        fmt::format("{}: the model has no vocabulary; take a file with one", Key("tokens")));
  }
  spec.model = *model;
  spec.pre = metadata.String(Key("pre")).value_or("");
  spec.tokens = *tokens;
  spec.scores = ReadScores(metadata);
  spec.token_types = ReadTypes(metadata);
  if (const std::vector<std::string>* merges = metadata.Strings(Key("merges")))
    spec.merges = *merges;
  spec.bos = ReadId(metadata, "bos_token_id");
  spec.eos = ReadId(metadata, "eos_token_id");
  spec.eot = ReadId(metadata, "eot_token_id");
  spec.eom = ReadId(metadata, "eom_token_id");
  spec.unknown = ReadId(metadata, "unknown_token_id");
  spec.separator = ReadId(metadata, "seperator_token_id");  // the format spells it so
  spec.padding = ReadId(metadata, "padding_token_id");
  spec.cls = ReadId(metadata, "cls_token_id");
  spec.mask = ReadId(metadata, "mask_token_id");
  spec.add_bos = metadata.Bool(Key("add_bos_token"));
  spec.add_eos = metadata.Bool(Key("add_eos_token"));
  spec.add_sep = metadata.Bool(Key("add_sep_token"));
  spec.add_space_prefix = metadata.Bool(Key("add_space_prefix"));
  spec.remove_extra_whitespaces = metadata.Bool(Key("remove_extra_whitespaces"));
  spec.precompiled_charsmap = ReadBytes(metadata, "precompiled_charsmap");
  return spec;
}

}  // namespace tome
