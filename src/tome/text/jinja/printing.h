// Values as text: Python's str and repr.
#pragma once

#include <string>

#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

// str(value): what {{ value }} prints. Undefined prints as nothing. The mark of a scalar becomes
// the mark of its text.
Text ToText(Heap& heap, const Value& value);

// repr(value): texts in quotes.
MarkedText Repr(Heap& heap, const Value& value);

// A float as Python prints it: 1.0, 1e+16, inf.
std::string FloatText(double number);

}  // namespace tome::jinja
