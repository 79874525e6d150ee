// The speed of models, measured once and kept. Rates that were measured while the
// machine had other work would make every later forecast wrong, so they are measured again.
#pragma once

#include <cstdint>

#include "tome/base/progress.h"
#include "tome/base/work_clock.h"
#include "tome/generate/model_rates.h"

namespace tome {

class LanguageModel;
class Measurements;

// Decides whether kept rates are used, or rates are measured in any case.
enum class Measuring { kWhereNotKept, kAnew };

// Returns the rates of the model with a memory of type `kv`. It measures and keeps them where the
// none are kept, where the kept ones were measured under load, and with kAnew. Throws the errors
// of MeasureRates.
ModelRates RatesFor(Measurements& measurements, const LanguageModel& model, KvType kv,
                    Measuring measuring, const WorkControl& control);

// Drops the kept rates where a reading disproves them (generate/model_rates.h). They are measured
// again when they are needed.
void DropDisprovedRates(Measurements& measurements, const LanguageModel& model, KvType kv,
                        const ReadingTime& reading);

}  // namespace tome
