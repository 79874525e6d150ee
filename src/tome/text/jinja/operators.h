// The operators of expressions, with Python's meaning. They throw Error(kInvalidArgument) for
// operands of a wrong kind and for undefined operands. Undefined operands are accepted by == and
// !=, by `in` except as an item sought in a text, and as the value that a text's % formats.
#pragma once

#include "tome/text/jinja/ast.h"
#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

// Integers have 64 bits; a larger result throws Error(kInvalidArgument). A number made from content
// is kContent.
Value Arithmetic(Heap& heap, Operator op, const Value& left, const Value& right);
Value Negate(const Value& operand);

bool Compare(Heap& heap, Comparison comparison, const Value& left, const Value& right);
bool Equal(Heap& heap, const Value& left, const Value& right);
bool Less(Heap& heap, const Value& left, const Value& right);
// Evaluates `item in container`.
bool Contains(Heap& heap, const Value& container, const Value& item);

// Returns the number of an int, bool or float.
double AsDouble(const Value& number);

// Throws Error(kInvalidArgument) for an undefined value, which must not be used, only tested or
// printed.
void RequireDefined(const Value& value);

// Returns the items that a loop over `value` visits: items of a list, keys of a dict, characters of
// a text. An undefined value has none.
std::vector<Value> Iterate(Heap& heap, const Value& value);

// Evaluates object[begin:end:step] of a list or text. A null pointer stands for an omitted part.
Value Slice(Heap& heap, const Value& object, const Value* begin, const Value* end,
            const Value* step);

// Returns the item at `index` of a list or the character of a text; a negative index counts from
// the end. Undefined where it does not exist.
Value ItemAt(Heap& heap, const Value& object, int64_t index);

}  // namespace tome::jinja
