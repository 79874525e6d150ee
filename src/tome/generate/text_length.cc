#include "tome/generate/text_length.h"

#include <fmt/format.h>

namespace tome {
namespace {

std::string ByOf(const ModelFacts& facts, const Memory& memory) {
  const PositionScheme& scheme = memory.positions();
  if (scheme.streaming) return "window";
  if (scheme.chunks) return std::string(NameOf(ContextExtension::kDca));
  if (scheme.yarn_factor > 0) return std::string(NameOf(ContextExtension::kYarn));
  // Dual Chunk Attention that was switched off does nothing.
  return facts.lengthened_by == NameOf(ContextExtension::kDca) ? "" : facts.lengthened_by;
}

}  // namespace

TextLength LengthOf(const ModelFacts& facts, const Memory& memory) {
  return {.tokens = memory.length(),
          .trained_on = facts.native_tokens,
          .made_for = facts.trained_tokens,
          .by = ByOf(facts, memory),
          .forgotten = memory.forgotten()};
}

std::optional<Note> NoteOf(const TextLength& length) {
  if (length.forgotten > 0) {
    return Note(
        fmt::format("of the text's {} tokens {} are forgotten: tokens see its beginning and "
                    "those of late only",
                    length.tokens, length.forgotten),
        {Advice::Raise(Setting::kSinks), Advice::Raise(Setting::kWindow)});
  }
  if (length.tokens <= length.trained_on) return std::nullopt;
  std::string note = fmt::format("the text is {} tokens, and the model was trained on {}",
                                 length.tokens, length.trained_on);
  if (length.by.empty()) {
    return note + ": nothing was done about that, and what it says may make no sense";
  }
  note += fmt::format("; it reads more by {}", length.by);
  if (length.tokens > length.made_for && length.made_for > length.trained_on) {
    note += fmt::format(", and was made for {} so", length.made_for);
  }
  return note;
}

}  // namespace tome
