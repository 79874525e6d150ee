// How a model is to answer, whatever it is asked.
#pragma once

#include <optional>

#include "tome/answer/ability.h"
#include "tome/answer/plan.h"
#include "tome/generate/session.h"

namespace tome {

struct ModelAnswerOptions {
  SamplingOptions sampling;
  RequestedLimits limits;      // for the answer, and the passages of `retrieval`
  double budget_seconds = 60;  // that reading may take for `auto` to choose `context`
  // Of what the model reads; `kv` none: KvTypeFor's choice. `max_tokens` is the conversation's.
  MemoryOptions memory = {};
  Speculation speculation = Speculation::kPromptLookup;
  SnapshotStore* store = nullptr;  // keeps documents that were read whole; null: nothing does
  // From how much text answers are written; none: as the model was found to be able to, which is
  // tested once and kept in the library.
  std::optional<EvidenceAmount> amount = {};
  bool strict = false;  // sentences of an answer that are not supported are left out
};

}  // namespace tome
