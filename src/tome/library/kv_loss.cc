#include "tome/library/kv_loss.h"

#include <fmt/format.h>

#include "tome/base/error.h"
#include "tome/generate/language_model.h"
#include "tome/library/library.h"

namespace tome {

std::string NoteOf(const KvLoss& loss) {
  return fmt::format(
      "keys and values in {}: as measured on {} tokens of text, mean KL divergence {:.4f} from 16 "
      "bits, perplexity {:.4g} instead of {:.4g}, the same likeliest token for {:.1f} %{}",
      NameOf(loss.kv), loss.tokens, loss.mean_kl, loss.perplexity, loss.exact_perplexity,
      100 * loss.same_top,
      loss.mean_kl > kBadMeanKl
          ? fmt::format("; this is a bad loss (above {}): expect worse answers, or use --kv q8",
                        kBadMeanKl)
          : "");
}

std::optional<std::string> NoteOfType(std::optional<KvType> asked, KvType used,
                                      const std::optional<KvLoss>& loss) {
  const std::string chosen = asked || used != KvType::kQ8
                                 ? ""
                                 : "the text is long, and so keys and values are remembered in 8 "
                                   "bits (--kv f16: in 16)";
  if (loss) return chosen + (chosen.empty() ? "" : "; ") + NoteOf(*loss);
  if (chosen.empty()) return std::nullopt;
  return chosen + "; tome bench kv measures what that costs";
}

std::optional<KvLoss> KnownKvLoss(Library& library, const LanguageModel& model, KvType kv) {
  if (kv != KvType::kQ8 && kv != KvType::kQ4) return std::nullopt;
  if (!model.model().facts().has_attention()) return std::nullopt;
  std::optional<KvLoss> loss;
  if (library.KnowsKvLosses(kv)) loss = library.KvLossOf(model.FilesKey().ToString(), kv);
  if (!loss && kv == KvType::kQ4) {
    throw Error(
        Code::kUnavailable,
        fmt::format("--kv {}: what 4-bit keys and values cost {} has not been measured on a "
                    "text, and small models do not bear them; measure it: tome bench kv "
                    "--model {} --text FILE --kv {}",
                    NameOf(kv), model.name(), model.path().string(), NameOf(kv)));
  }
  return loss;
}

}  // namespace tome
