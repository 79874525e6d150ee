// Values as text: Python's str and repr.
#pragma once

#include <string>

#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

// Returns str(value), the text that {{ value }} prints; empty for an undefined value. The mark of a
// scalar becomes the mark of its text.
Text ToText(Heap& heap, const Value& value);

// Returns repr(value): like str(value), but with texts in quotes.
MarkedText Repr(Heap& heap, const Value& value);

// Returns a float as Python prints it: 1.0, 1e+16, inf.
std::string FloatText(double number);

}  // namespace tome::jinja
