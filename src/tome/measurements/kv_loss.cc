#include "tome/measurements/kv_loss.h"

#include <fmt/format.h>

#include <utility>

#include "tome/base/error.h"
#include "tome/generate/language_model.h"
#include "tome/measurements/measurements.h"

namespace tome {

Note NoteOf(const KvLoss& loss) {
  const bool bad = loss.mean_kl > kBadMeanKl;
  std::string text = fmt::format(
      "keys and values in {}: as measured on {} tokens of text, mean KL divergence {:.4f} from 16 "
      "bits, perplexity {:.4g} instead of {:.4g}, the same likeliest token for {:.1f} %{}",
      NameOf(loss.kv), loss.tokens, loss.mean_kl, loss.perplexity, loss.exact_perplexity,
      100 * loss.same_top,
      bad ? fmt::format("; this is a bad loss (above {}): expect worse answers", kBadMeanKl) : "");
  if (!bad) return text;
  return {std::move(text),
          {Advice::Use(Setting::kKv,
                       std::string(NameOf(loss.kv == KvType::kQ8 ? KvType::kF16 : KvType::kQ8)))}};
}

std::optional<Note> NoteOfType(std::optional<KvType> asked, KvType used,
                               const std::optional<KvLoss>& loss) {
  if (asked || used != KvType::kQ8) return loss ? std::optional(NoteOf(*loss)) : std::nullopt;
  const std::string chosen =
      "the text is long, and so keys and values are remembered in 8 bits, not in 16";
  const Advice exact = Advice::Use(Setting::kKv, std::string(NameOf(KvType::kF16)));
  if (loss) return Note(chosen + "; " + NoteOf(*loss).text, {exact});
  return Note(chosen, {exact, Advice::Measure(Setting::kKv, std::string(NameOf(used)), {})});
}

std::optional<KvLoss> KnownKvLoss(Measurements& measurements, const LanguageModel& model,
                                  KvType kv) {
  if (kv != KvType::kQ8 && kv != KvType::kQ4) return std::nullopt;
  if (!model.model().facts().has_attention()) return std::nullopt;
  std::optional<KvLoss> loss;
  if (measurements.KnowsKvLosses(kv)) loss = measurements.KvLossOf(model.FilesKey().ToString(), kv);
  if (!loss && kv == KvType::kQ4) {
    const std::string name(NameOf(kv));
    throw Error(Code::kUnavailable,
                fmt::format("{}: what 4-bit keys and values cost {} has not been measured on a "
                            "text, and small models do not bear them",
                            name, model.name()),
                {Advice::Measure(Setting::kKv, name, model.path().string())});
  }
  return loss;
}

}  // namespace tome
