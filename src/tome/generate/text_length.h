// What a model was made for, and what is asked of it: said wherever a text is longer than that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tome/base/advice.h"
#include "tome/models/model.h"

namespace tome {

struct TextLength {
  int64_t tokens = 0;      // of the text
  int64_t trained_on = 0;  // ModelFacts::native_tokens
  int64_t made_for = 0;    // ModelFacts::trained_tokens
  // What the memory does about longer texts: "dca", "yarn", "window", or the checkpoint's own
  // scaling of RoPE; empty: nothing.
  std::string by;
  int64_t forgotten = 0;  // tokens, by a window
};
TextLength LengthOf(const ModelFacts& facts, const Memory& memory);

// For the user; nothing where the text is no longer than what the model was trained on and nothing
// was forgotten.
std::optional<Note> NoteOf(const TextLength& length);

}  // namespace tome
