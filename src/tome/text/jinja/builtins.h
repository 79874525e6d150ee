// The filters, tests, methods and global functions of templates, by name.
#pragma once

#include <memory>
#include <string_view>

#include "tome/text/jinja/arguments.h"
#include "tome/text/jinja/date.h"
#include "tome/text/jinja/interpreter.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

using Function = Value (*)(Interpreter& interpreter, const Value& input,
                           const Arguments& arguments);
using Test = bool (*)(Interpreter& interpreter, const Value& input, const Arguments& arguments);

// Each function returns null for an unknown name.
Function FindFilter(std::string_view name);
Test FindTest(std::string_view name);
Function FindTextMethod(std::string_view name);
Function FindListMethod(std::string_view name);
Function FindDictMethod(std::string_view name);
Function FindLoopMethod(std::string_view name);

// Parts of FindFilter. Each is defined in its own file.
Function FindTextFilter(std::string_view name);
Function FindSequenceFilter(std::string_view name);
Function FindNumberFilter(std::string_view name);

// Puts range, dict, namespace, raise_exception and strftime_now into `scope`. strftime_now gives
// `date`.
void AddGlobals(Heap& heap, Scope& scope, const Date& date);

}  // namespace tome::jinja
