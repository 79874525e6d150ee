#include "tome/measurements/kept_rates.h"

#include <optional>

#include "tome/generate/language_model.h"
#include "tome/measurements/measurements.h"

namespace tome {

ModelRates RatesFor(Measurements& measurements, const LanguageModel& model, KvType kv,
                    Measuring measuring, const WorkControl& control) {
  const SpeedKey key = SpeedKeyOf(model.model().facts(), model.compute(), kv);
  if (measuring == Measuring::kWhereNotKept) {
    const std::optional<ModelRates> kept = measurements.RatesOf(key);
    if (kept && !kept->under_load) return *kept;
  }
  const ModelRates measured = MeasureRates(model.model(), model.compute(), kv, control);
  measurements.KeepRates(key, measured);
  return measurements.RatesOf(key).value_or(measured);  // includes the time of measuring
}

void DropDisprovedRates(Measurements& measurements, const LanguageModel& model, KvType kv,
                        const ReadingTime& reading) {
  const SpeedKey key = SpeedKeyOf(model.model().facts(), model.compute(), kv);
  const std::optional<ModelRates> kept = measurements.RatesOf(key);
  if (kept && Disproves(reading, model.model().facts(), *kept)) measurements.DropRates(key);
}

}  // namespace tome
