#include "tome/library/kept_rates.h"

#include <optional>

#include "tome/generate/language_model.h"
#include "tome/library/library.h"

namespace tome {

ModelRates RatesFor(Library& library, const LanguageModel& model, KvType kv, Measuring measuring,
                    const WorkControl& control) {
  const SpeedKey key = SpeedKeyOf(model.model().facts(), model.compute(), kv);
  if (measuring == Measuring::kWhereNotKept) {
    const std::optional<ModelRates> kept = library.RatesOf(key);
    if (kept && !kept->under_load) return *kept;
  }
  const ModelRates measured = MeasureRates(model.model(), model.compute(), kv, control);
  library.KeepRates(key, measured);
  return library.RatesOf(key).value_or(measured);  // includes the time of measuring
}

void DropDisprovedRates(Library& library, const LanguageModel& model, KvType kv,
                        const ReadingTime& reading) {
  const SpeedKey key = SpeedKeyOf(model.model().facts(), model.compute(), kv);
  const std::optional<ModelRates> kept = library.RatesOf(key);
  if (kept && Disproves(reading, model.model().facts(), *kept)) library.DropRates(key);
}

}  // namespace tome
