// The speed of models, measured once and kept in the library: what is foretold by it would be wrong
// for good if it was measured while the machine had other things to do.
#pragma once

#include <cstdint>

#include "tome/base/progress.h"
#include "tome/base/work_clock.h"
#include "tome/generate/model_rates.h"

namespace tome {

class LanguageModel;
class Library;

// Whether rates of the model that the library keeps will do.
enum class Measuring { kWhereNotKept, kAnew };

// The rates that the library keeps of the model with a memory of type `kv`, measured and kept now
// where there are none, where those there are were measured under load, and with kAnew. Errors:
// MeasureRates'.
ModelRates RatesFor(Library& library, const LanguageModel& model, KvType kv, Measuring measuring,
                    const WorkControl& control);

// Drops the kept rates that a reading disproves (generate/model_rates.h), so that they are measured
// again when they are wanted.
void DropDisprovedRates(Library& library, const LanguageModel& model, KvType kv,
                        const ReadingTime& reading);

}  // namespace tome
