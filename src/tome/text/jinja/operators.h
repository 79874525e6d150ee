// The operators of expressions with Python's meaning. Wrong kinds of operands throw
// Error(kInvalidArgument), and so do undefined ones except in == and !=.
#pragma once

#include "tome/text/jinja/ast.h"
#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

// Integers have 64 bits; a result beyond them throws. The origin of a number made from content is
// content.
Value Arithmetic(Heap& heap, Operator op, const Value& left, const Value& right);
Value Negate(const Value& operand);

bool Compare(Heap& heap, Comparison comparison, const Value& left, const Value& right);
bool Equal(Heap& heap, const Value& left, const Value& right);
bool Less(Heap& heap, const Value& left, const Value& right);
// item in container
bool Contains(Heap& heap, const Value& container, const Value& item);

// The number of an int, bool or float.
double AsDouble(const Value& number);

// Undefined values may be tested and printed but not used.
void RequireDefined(const Value& value);

// The items that a loop over `value` visits: of a dict its keys, of a text its characters, of
// undefined none.
std::vector<Value> Iterate(Heap& heap, const Value& value);

// object[begin:end:step] of a list or text; null pointers are what is left out.
Value Slice(Heap& heap, const Value& object, const Value* begin, const Value* end,
            const Value* step);

// The item at `index` of a list or the character of a text, counted from the end if negative;
// undefined if there is none.
Value ItemAt(Heap& heap, const Value& object, int64_t index);

}  // namespace tome::jinja
