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

namespace {

ordered_json ToJson(const PlaceRanks& ranks) {
  const auto rank = [](const std::optional<ListRank>& list) -> ordered_json {
    if (!list) return nullptr;
    return {{"rank", list->rank}, {"score", list->score}};
  };
  return {{"lexical", rank(ranks.lexical)},
          {"dense", rank(ranks.dense)},
          {"fused", rank(ranks.fused)},
          {"reranked", rank(ranks.reranked)}};
}

}  // namespace

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
        {"ranks", ToJson(citation.ranks)},
    });
  }
  ordered_json sentences = ordered_json::array();
  for (const SentenceSupport& sentence : answer.sentences) {
    ordered_json cited = ordered_json::array();
    for (const size_t citation : sentence.citations) cited.push_back(citation + 1);
    sentences.push_back({{"begin", sentence.span.begin},
                         {"end", sentence.span.end},
                         {"support", NameOf(sentence.support)},
                         {"citations", std::move(cited)}});
  }
  return {
      {"question", answer.question},
      {"way", answer.way},
      {"why", word(answer.why)},
      {"answer", answer.text},
      {"support", answer.support ? ordered_json(NameOf(*answer.support)) : ordered_json(nullptr)},
      {"confidence", answer.confidence ? ordered_json(*answer.confidence) : ordered_json(nullptr)},
      {"gain", answer.gain ? ordered_json(*answer.gain) : ordered_json(nullptr)},
      {"question_gain",
       answer.question_gain ? ordered_json(*answer.question_gain) : ordered_json(nullptr)},
      {"not_said", answer.not_said},
      {"missing", answer.missing},
      {"sentences", std::move(sentences)},
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
        {"generated", answer.generated_tokens},
        {"computed", answer.computed_tokens}}},
      {"kv_loss", ToJson(answer.kv_loss)},
  };
}

}  // namespace tome
