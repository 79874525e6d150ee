// Options for the answers of a model to any question.
#pragma once

#include <optional>

#include "tome/answer/ability.h"
#include "tome/answer/plan.h"
#include "tome/generate/session.h"
#include "tome/retrieval/dense_search.h"

namespace tome {

struct ModelAnswerOptions {
  SamplingOptions sampling;
  RequestedLimits limits;      // of the answer and of the passages of `retrieval`
  double budget_seconds = 60;  // longest reading for which `auto` chooses whole documents
  // Options of the memory that the model reads into. Without a `kv`, KvTypeFor chooses the type.
  // The conversation sets `max_tokens` itself.
  MemoryOptions memory = {};
  Speculation speculation = Speculation::kPromptLookup;
  SnapshotStore* store = nullptr;  // keeps documents that were read whole; null: nothing is kept
  // The amount of text that answers are written from. Without a value, it is Ability::amount, which
  // is tested once per model and language and kept.
  std::optional<EvidenceAmount> amount = {};
  const DenseSearch* dense = nullptr;  // vectors of the documents; null: words alone find passages
  bool strict = false;  // leaves out the sentences of an answer that are not supported
};

}  // namespace tome
