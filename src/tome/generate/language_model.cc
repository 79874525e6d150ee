#include "tome/generate/language_model.h"

#include <utility>

#include "tome/models/registry.h"
#include "tome/models/tokenizer_of.h"

namespace tome {

std::unique_ptr<LanguageModel> LanguageModel::Open(const std::filesystem::path& path, int threads) {
  auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::Open(path));
  std::unique_ptr<LanguageModel> language_model(new LanguageModel());
  language_model->name_ = std::filesystem::absolute(path).lexically_normal().filename().string();
  language_model->threads_ = std::make_unique<ThreadPool>(threads > 0 ? threads : ProcessorCount());
  language_model->tokenizer_ = TokenizerOf(*checkpoint);
  language_model->model_ = LoadModel(std::move(checkpoint));
  return language_model;
}

std::vector<TokenId> LanguageModel::EncodeChat(std::span<const ChatMessage> messages) const {
  std::string text;
  for (const ChatMessage& message : messages) text += message.content + "\n\n";
  return EncodeText(text, Specials::kLiteral);
}

std::vector<TokenId> LanguageModel::EncodeText(std::string_view text, Specials specials) const {
  return tokenizer_->Encode(text, specials, {});
}

}  // namespace tome
