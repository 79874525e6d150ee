#include "tome/answer/answer_json.h"

#include <nlohmann/json.hpp>

namespace tome {

using nlohmann::ordered_json;

nlohmann::ordered_json ToJson(const std::optional<KvLoss>& loss) {
  if (!loss) return nullptr;
  return {{"kv", NameOf(loss->kv)},
          {"tokens", loss->tokens},
          {"mean_kl", loss->mean_kl},
          {"p99_kl", loss->p99_kl},
          {"largest_kl", loss->largest_kl},
          {"perplexity", loss->perplexity},
          {"exact_perplexity", loss->exact_perplexity},
          {"same_top", loss->same_top},
          {"bytes_per_token", loss->bytes_per_token}};
}

nlohmann::ordered_json AnswerToJson(const Answer& answer, const NoteWording& word) {
  ordered_json notes = ordered_json::array();
  for (const Note& note : answer.notes) notes.push_back(word(note));
  ordered_json citations = ordered_json::array();
  for (const Citation& citation : answer.citations) {
    citations.push_back({
        {"document", citation.document},
        {"page", citation.page ? ordered_json(*citation.page) : ordered_json(nullptr)},
        {"section", citation.section ? ordered_json(*citation.section) : ordered_json(nullptr)},
        {"begin", citation.span.begin},
        {"end", citation.span.end},
        {"quote", citation.quote},
        {"score", citation.score},
    });
  }
  return {
      {"question", answer.question},
      {"way", answer.way},
      {"why", answer.why},
      {"answer", answer.text},
      {"citations", std::move(citations)},
      {"notes", std::move(notes)},
      {"read",
       {{"characters", answer.read_characters},
        {"document_characters", answer.document_characters}}},
      {"timing",
       {{"search_seconds", answer.search_seconds},
        {"read_seconds", answer.read_seconds},
        {"generate_seconds", answer.generate_seconds}}},
      {"tokens",
       {{"documents", answer.document_tokens},
        {"quoted", answer.quoted_tokens},
        {"prompt", answer.prompt_tokens},
        {"restored", answer.restored_tokens},
        {"generated", answer.generated_tokens}}},
      {"kv_loss", ToJson(answer.kv_loss)},
  };
}

}  // namespace tome
