#include "tome/models/tokenizer_of.h"

#include <fmt/format.h>

#include <string>

#include "tome/base/error.h"
#include "tome/models/tokenizer_keys.h"
#include "tome/models/vocabulary.h"

namespace tome {
namespace {

std::unique_ptr<Tokenizer> Read(const Checkpoint& checkpoint) {
  if (checkpoint.container() == Container::kGguf) {
    // A whole tokenizer.json says more than the keys of tokenizer.ggml do.
    if (const auto json = checkpoint.metadata().String(kTokenizerJsonKey)) {
      return Tokenizer::FromTokenizerJson(
          *json, checkpoint.metadata().String(kTokenizerConfigKey).value_or(""));
    }
    return Tokenizer::Create(VocabularyFromMetadata(checkpoint.metadata()));
  }
  const std::string json = checkpoint.SideFile("tokenizer.json");
  if (json.empty()) {
    throw Error(Code::kNotFound,
                "there is no tokenizer.json beside the weights; put the model's tokenizer there");
  }
  return Tokenizer::FromTokenizerJson(json, checkpoint.SideFile("tokenizer_config.json"));
}

}  // namespace

std::unique_ptr<Tokenizer> TokenizerOf(const Checkpoint& checkpoint) {
  try {
    return Read(checkpoint);
  } catch (const Error& error) {
    throw error.In(checkpoint.path().string());
  }
}

std::vector<std::string> TokenizerNotes(const Checkpoint& checkpoint) {
  const Metadata& metadata = checkpoint.metadata();
  if (checkpoint.container() != Container::kGguf || metadata.String(kTokenizerJsonKey)) return {};
  if (metadata.String("tokenizer.ggml.model") != "gpt2") return {};
  if (!metadata.String("tokenizer.ggml.pre").value_or("").empty()) return {};
  return {
      fmt::format("{} does not say how its vocabulary splits text into words "
                  "(tokenizer.ggml.pre); \"{}\" is taken, with which the model may understand "
                  "less; a newly converted file says it",
                  checkpoint.path().filename().string(), kAssumedPreTokenizer)};
}

}  // namespace tome
