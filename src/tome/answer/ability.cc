#include "tome/answer/ability.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

#include "tome/answer/attention_reading.h"
#include "tome/answer/local_answer_model.h"
#include "tome/answer/synthetic_facts.h"
#include "tome/generate/shared_prompts.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr size_t kHeads = 8;
// A head with a lower mean reciprocal rank than this says nothing about the place of the answer.
constexpr double kLeastRank = 0.5;
constexpr int64_t kReplyTokens = 16;
// More text is preferred to less although it loses up to this share of the questions.
constexpr double kTolerance = 1.5 / 24;

bool Holds(std::string_view reply, std::string_view answer) {
  return LowerAscii(reply).find(LowerAscii(answer)) != std::string::npos;
}

// Returns one over the rank of element `gold` of `scores`, or 0 where its score is not positive.
double ReciprocalRank(std::span<const double> scores, size_t gold) {
  const auto better = std::count_if(scores.begin(), scores.end(),
                                    [&](double score) { return score > scores[gold]; });
  return scores[gold] > 0 ? 1.0 / static_cast<double>(1 + better) : 0;
}

class AbilityTest {
 public:
  AbilityTest(const LanguageModel& model, PromptLanguage language, const WorkControl& control)
      : model_(model), facts_(SyntheticFacts(language)), language_(language), control_(control) {
    for (const SyntheticFact& fact : facts_) {
      sentences_.push_back(fact.sentence);
      text_ += std::string(fact.sentence) + (language == PromptLanguage::kChinese ? "" : " ");
    }
  }

  Ability Run() {
    Step(1);
    AskAboutText();
    Step(2);
    AskAboutSentences();
    Step(3);
    // A model that answers nothing is not asked more.
    if (ability_.from_sentence + ability_.from_text > 0) ability_.from_sentences = AskFrom(3);
    Step(4);
    Choose();
    FindReliableLength();
    Step(kSteps);
    return std::move(ability_);
  }

 private:
  static constexpr uint64_t kSteps = 5;
  // Tested texts have at most half as many tokens, so that a slow model is not held up.
  static constexpr int64_t kLongest = 4096;

  void Step(uint64_t step) {
    control_.CheckStop();
    control_.Report("testing the model", step - 1, kSteps - 1);
  }

  PromptMessage MessageFrom(std::string_view text, size_t fact,
                            std::string_view opening = {}) const {
    return {.text = PromptOf(facts_[fact].question, {&text, 1}), .opening = opening};
  }

  std::vector<ScoredText> Replies(std::span<const PromptMessage> messages) const {
    return ReplyToEach(LocalAnswerModel(model_), messages, kReplyTokens, control_);
  }

  double ShareOfRight(std::span<const ScoredText> replies) const {
    double right = 0;
    for (size_t i = 0; i < replies.size(); ++i) {
      right += Holds(replies[i].text, facts_[i].answer) ? 1 : 0;
    }
    return right / static_cast<double>(replies.size());
  }

  // Asks all questions about the whole text, for the heads that find the sentence and for plain
  // replies.
  void AskAboutText() {
    std::vector<std::vector<TokenId>> prompts;
    for (size_t i = 0; i < facts_.size(); ++i) {
      prompts.push_back(EncodeMessage(model_, MessageFrom(text_, i).text));
    }
    std::vector<PromptTokens> views(prompts.begin(), prompts.end());
    const auto common = static_cast<size_t>(CommonTokens(views));
    Session base = NewSession(model_, static_cast<int64_t>(common) + 256);
    base.Prefill(views.front().first(common), WithoutProgress(control_));
    std::vector<Session> sessions;
    std::vector<AttentionTap> taps(facts_.size());
    std::vector<SessionReading> readings;
    sessions.reserve(facts_.size());
    const std::vector<AttentionHead> heads = HeadsOf(model_.model().facts());
    for (size_t i = 0; i < facts_.size(); ++i) {
      const auto located = LocateIn(model_.tokenizer(), views[i], sentences_, facts_[i].question);
      if (located) taps[i] = TapOf(*located, heads);
      sessions.push_back(base.Fork());
      readings.push_back({.session = &sessions.back(),
                          .tokens = views[i].subspan(common),
                          .tap = located ? &taps[i] : nullptr});
    }
    PrefillTogether(readings, WithoutProgress(control_));
    ChooseHeads(taps);
    std::vector<ScoredWriting> writings;
    for (Session& session : sessions) writings.push_back({.session = &session});
    ability_.from_text = ShareOfRight(
        WriteScored(writings, {.max_tokens = kReplyTokens, .stop = control_.stop}, {}));
    ability_.reliable_tokens = ability_.from_text >= 0.5 ? static_cast<int64_t>(common) : 0;
    text_tokens_ = static_cast<int64_t>(common);
  }

  void ChooseHeads(std::span<const AttentionTap> taps) {
    const std::vector<AttentionHead> heads = HeadsOf(model_.model().facts());
    std::vector<double> ranks(heads.size(), 0);
    for (size_t i = 0; i < taps.size(); ++i) {
      if (taps[i].mass.empty()) return;
      const size_t spans = taps[i].spans.size();
      for (size_t head = 0; head < heads.size(); ++head) {
        const std::span<const double> row(taps[i].mass.data() + head * spans, spans);
        ranks[head] += ReciprocalRank(row, i) / static_cast<double>(taps.size());
      }
    }
    std::vector<size_t> order(heads.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return ranks[a] > ranks[b]; });
    if (order.empty() || ranks[order.front()] < kLeastRank) return;
    order.resize(std::min(order.size(), kHeads));
    for (size_t i = 0; i < taps.size(); ++i) {
      std::vector<double> sums(taps[i].spans.size(), 0);
      for (const size_t head : order) {
        for (size_t j = 0; j < sums.size(); ++j) sums[j] += taps[i].At(head, j);
      }
      ability_.head_rank += ReciprocalRank(sums, i) / static_cast<double>(taps.size());
    }
    for (const size_t head : order) ability_.heads.push_back(heads[head]);
    std::sort(ability_.heads.begin(), ability_.heads.end());
  }

  // Asks each question about the sentence that answers it, and about another sentence.
  void AskAboutSentences() {
    std::vector<PromptMessage> right;
    std::vector<PromptMessage> wrong;
    for (size_t i = 0; i < facts_.size(); ++i) {
      const std::string_view opening = ReplyOpening(language_);
      right.push_back(MessageFrom(facts_[i].sentence, i, opening));
      wrong.push_back(MessageFrom(facts_[(i + 7) % facts_.size()].sentence, i, opening));
    }
    const std::vector<ScoredText> to_right = Replies(right);
    const std::vector<ScoredText> to_wrong = Replies(wrong);
    ability_.from_sentence = ShareOfRight(to_right);
    const auto mean = [](std::span<const ScoredText> replies) {
      double sum = 0;
      for (const ScoredText& reply : replies) sum += reply.log_probability;
      return sum / static_cast<double>(replies.size());
    };
    ability_.right_log_probability = mean(to_right);
    ability_.wrong_log_probability = mean(to_wrong);
  }

  // Returns the share of questions answered rightly from `sentences` neighbouring sentences, the
  // right one among them.
  double AskFrom(size_t sentences) {
    std::vector<PromptMessage> messages;
    for (size_t i = 0; i < facts_.size(); ++i) {
      std::string text;
      const size_t first = std::min(i / sentences * sentences, facts_.size() - sentences);
      for (size_t j = first; j < first + sentences; ++j) text += std::string(sentences_[j]) + " ";
      messages.push_back(MessageFrom(text, i, ReplyOpening(language_)));
    }
    return ShareOfRight(Replies(messages));
  }

  void Choose() {
    const double best =
        std::max({ability_.from_sentence, ability_.from_sentences, ability_.from_text});
    ability_.amount = EvidenceAmount::kSentence;
    if (best == 0) return;
    if (ability_.from_sentences >= best - kTolerance) ability_.amount = EvidenceAmount::kSentences;
    if (ability_.from_text >= best - kTolerance) ability_.amount = EvidenceAmount::kText;
  }

  // Puts more and more other text around the facts, until fewer than half of some are found.
  void FindReliableLength() {
    if (ability_.reliable_tokens == 0) return;
    constexpr size_t kAsked = 8;
    const int64_t most = std::min(model_.model().facts().trained_tokens, kLongest) / 2;
    for (int64_t tokens = 2 * text_tokens_; tokens <= most; tokens *= 2) {
      control_.CheckStop();
      const auto characters_per_token =
          static_cast<double>(CountCodePoints(text_)) / static_cast<double>(text_tokens_);
      const std::string filler = SyntheticFiller(
          language_, static_cast<int64_t>(static_cast<double>(tokens - text_tokens_) *
                                          characters_per_token / 2));
      const std::string text = filler + text_ + filler;
      std::vector<PromptMessage> messages;
      for (size_t i = 0; i < kAsked; ++i) {
        messages.push_back(MessageFrom(text, i * facts_.size() / kAsked));
      }
      const std::vector<ScoredText> replies = Replies(messages);
      size_t right = 0;
      for (size_t i = 0; i < kAsked; ++i) {
        right += Holds(replies[i].text, facts_[i * facts_.size() / kAsked].answer) ? 1 : 0;
      }
      if (2 * right < kAsked) return;
      ability_.reliable_tokens = tokens;
    }
    // No tested length was too long, so the model may read whole texts of its trained length.
    ability_.reliable_tokens =
        std::max(ability_.reliable_tokens, model_.model().facts().trained_tokens);
  }

  const LanguageModel& model_;
  std::span<const SyntheticFact> facts_;
  PromptLanguage language_;
  const WorkControl& control_;
  std::vector<std::string_view> sentences_;
  std::string text_;
  int64_t text_tokens_ = 0;
  Ability ability_;
};

}  // namespace

std::string_view NameOf(EvidenceAmount amount) {
  switch (amount) {
    case EvidenceAmount::kSentence:
      return "sentence";
    case EvidenceAmount::kSentences:
      return "sentences";
    case EvidenceAmount::kText:
      return "text";
  }
  return "";
}

int64_t ReadableTokens(const Ability& ability) {
  // In passages where a model finds no answer by itself, its heads still tell sentences apart.
  constexpr int64_t kLeast = 800;
  return std::max(kLeast, ability.reliable_tokens);
}

Ability TestAbility(const LanguageModel& model, PromptLanguage language,
                    const WorkControl& control) {
  return AbilityTest(model, language, control).Run();
}

std::string ToText(const Ability& ability) {
  nlohmann::json heads = nlohmann::json::array();
  for (const AttentionHead& head : ability.heads) heads.push_back({head.layer, head.head});
  return nlohmann::json{{"heads", heads},
                        {"head_rank", ability.head_rank},
                        {"amount", NameOf(ability.amount)},
                        {"reliable_tokens", ability.reliable_tokens},
                        {"right_log_probability", ability.right_log_probability},
                        {"wrong_log_probability", ability.wrong_log_probability},
                        {"from_sentence", ability.from_sentence},
                        {"from_sentences", ability.from_sentences},
                        {"from_text", ability.from_text}}
      .dump();
}

namespace {

// Reads a count or an index. A number of another kind is not converted, because converting a large
// one is undefined.
std::optional<int64_t> CountOf(const nlohmann::json& json) {
  constexpr int64_t kMost = int64_t{1} << 40;
  if (!json.is_number_integer() || json < 0 || json > kMost) return std::nullopt;
  return json.get<int64_t>();
}

}  // namespace

std::optional<Ability> AbilityFromText(std::string_view text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    Ability ability;
    for (const auto& each : json.at("heads")) {
      const auto layer = CountOf(each.at(0));
      const auto head = CountOf(each.at(1));
      if (!layer || !head) return std::nullopt;
      ability.heads.push_back({*layer, *head});
    }
    const auto amount = json.at("amount").get<std::string>();
    const auto* const named =
        std::find_if(kEvidenceAmounts.begin(), kEvidenceAmounts.end(),
                     [&](const EvidenceAmount each) { return NameOf(each) == amount; });
    if (named == kEvidenceAmounts.end()) return std::nullopt;
    ability.amount = *named;
    ability.head_rank = json.at("head_rank").get<double>();
    const auto tokens = CountOf(json.at("reliable_tokens"));
    if (!tokens) return std::nullopt;
    ability.reliable_tokens = *tokens;
    ability.right_log_probability = json.at("right_log_probability").get<double>();
    ability.wrong_log_probability = json.at("wrong_log_probability").get<double>();
    ability.from_sentence = json.at("from_sentence").get<double>();
    ability.from_sentences = json.at("from_sentences").get<double>();
    ability.from_text = json.at("from_text").get<double>();
    return ability;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

bool HasHeadsOf(const Ability& ability, const ModelFacts& facts) {
  const std::vector<AttentionHead> heads = HeadsOf(facts);  // ascending
  return std::all_of(ability.heads.begin(), ability.heads.end(), [&](const AttentionHead& head) {
    return std::binary_search(heads.begin(), heads.end(), head);
  });
}

}  // namespace tome
