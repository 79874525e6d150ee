#include "tome/answer/prompt_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "tome/answer/document_names.h"
#include "tome/base/work_clock.h"
#include "tome/measurements/kept_rates.h"
#include "tome/text/unicode.h"

namespace tome {

Memory PromptReader::NewMemory(int64_t prompt_tokens) const {
  const int64_t needed = prompt_tokens + limits_.answer_tokens;
  const int64_t trained = model_.model().facts().trained_tokens;
  int64_t max_tokens = std::max(needed, trained);
  if (options_.memory.window > 0) {
    max_tokens = 0;
  } else if (options_.memory.longer) {
    // This leaves room for later questions, for which a shorter memory would have to be made anew
    // and read all of the documents again.
    max_tokens = trained;
    while (max_tokens < needed) max_tokens *= 2;
  }
  MemoryOptions options = options_.memory;
  options.kv = KvTypeFor(model_.model().facts(), options_.memory.kv, prompt_tokens);
  options.max_tokens = max_tokens;
  return model_.model().NewMemory(options);
}

void PromptReader::UseStore(const PromptBeginning& beginning) {
  if (options_.store == nullptr || !beginning.documents_whole) return;
  DocumentNames names(library_, documents_);
  std::string title;
  std::vector<std::string> hashes;
  for (const NamedDocument& document : documents_) {
    title += (title.empty() ? "" : ", ") + names.Name(document.id);
    hashes.push_back(names.Record(document.id).hash);
  }
  session_->UseStore(*options_.store, {.root = model_.MemoryRoot(session_->memory()),
                                       .model = NormalizeText(model_.name()),
                                       .title = NormalizeText(title),
                                       .documents = std::move(hashes)});
  if (beginning.before_question) session_->KeepAt(*beginning.before_question);
}

void PromptReader::Read(std::span<const TokenId> prompt, const PromptBeginning& beginning,
                        const WorkControl& control) {
  const auto tokens = static_cast<int64_t>(prompt.size());
  if (!session_ || session_->memory().max_tokens() < tokens + limits_.answer_tokens) {
    session_.emplace(model_.model(), model_.tokenizer(), model_.compute(), NewMemory(tokens));
    UseStore(beginning);
  }
  const auto held = session_->tokens();
  const auto [mine, theirs] = std::mismatch(prompt.begin(), prompt.end(), held.begin(), held.end());
  // At least one token is read, because its logits choose the first token of the answer.
  const auto kept = std::min<int64_t>(mine - prompt.begin(), std::max<int64_t>(tokens - 1, 0));
  const int64_t left = session_->Truncate(kept);
  const WorkClock clock;
  session_->Prefill(prompt.subspan(static_cast<size_t>(left)), control);
  // The rates do not cover sparse attention and memories that lie in a file.
  if (!options_.memory.attention_mass && !options_.memory.resident_bytes) {
    DropDisprovedRates(
        measurements_, model_, KvTypeFor(model_.model().facts(), options_.memory.kv, tokens),
        {.begin = left > 0 ? left : session_->restored(), .end = tokens, .taken = clock.Elapsed()});
  }
}

}  // namespace tome
