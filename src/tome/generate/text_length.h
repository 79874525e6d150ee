// TextLength compares a text with the length that a model was made for, to note where it is longer.
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
  // The memory's method for longer texts: "dca", "yarn", "window", or the checkpoint's own scaling
  // of RoPE; empty: no method.
  std::string by;
  int64_t forgotten = 0;  // tokens that a window has forgotten
};
TextLength LengthOf(const ModelFacts& facts, const Memory& memory);

// Returns a note for the user. Empty where the text is no longer than what the model was trained on
// and no token was forgotten.
std::optional<Note> NoteOf(const TextLength& length);

}  // namespace tome
