#include <fmt/format.h>

#include <array>
#include <utility>

#include "tome/text/jinja/builtins.h"
#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/printing.h"

namespace tome::jinja {
namespace {

Value MakeRange(Interpreter& interpreter, Arguments& arguments) {
  const Bound bound(arguments, "range", {"start", "stop", "step"}, 1);
  const bool single = arguments.positional.size() == 1;
  const int64_t begin = single ? 0 : bound.Int(0, 0);
  const int64_t end = single ? bound.Int(0, 0) : bound.Int(1, 0);
  const int64_t step = bound.Int(2, 1);
  if (step == 0) Fail("range() with step 0");
  List* list = interpreter.heap().NewList(Origin::kTemplate);
  int64_t value = begin;
  while (step > 0 ? value < end : value > end) {
    if (std::ssize(list->items) == kMaxRange) {
      FailLimit(fmt::format("a range() of more than {} items", kMaxRange));
    }
    interpreter.heap().Append(*list, Value(value));
    if (__builtin_add_overflow(value, step, &value)) break;
  }
  return Value(list);
}

// Sets the entries of dict(…) and namespace(…): first those of one dict or list of pairs, then the
// keyword arguments.
void FillFromArguments(Interpreter& interpreter, const Arguments& arguments, Dict& dict) {
  Heap& heap = interpreter.heap();
  if (arguments.positional.size() > 1) Fail("dict() takes at most one positional argument");
  if (!arguments.positional.empty()) {
    const Value& source = arguments.positional[0];
    RequireDefined(source);
    if (const Dict* other = source.dict()) {
      const std::vector<Dict::Entry> entries = other->entries();
      for (const auto& [key, value] : entries) heap.Set(dict, key, value);
    } else {
      for (const Value& item : Iterate(heap, source)) {
        const std::vector<Value> pair = Iterate(heap, item);
        if (pair.size() != 2) Fail("dict() takes pairs of key and value");
        heap.Set(dict, pair[0], pair[1]);
      }
    }
  }
  for (const auto& [name, value] : arguments.keyword) heap.Set(dict, name, value);
}

Value MakeDict(Interpreter& interpreter, Arguments& arguments) {
  Dict* dict = interpreter.heap().NewDict(Origin::kTemplate);
  FillFromArguments(interpreter, arguments, *dict);
  return Value(dict);
}

Value MakeNamespace(Interpreter& interpreter, Arguments& arguments) {
  Namespace* names = interpreter.heap().NewNamespace();
  FillFromArguments(interpreter, arguments, names->attributes);
  return Value(names);
}

Value RaiseException(Interpreter& interpreter, Arguments& arguments) {
  const Bound bound(arguments, "raise_exception", {"message"}, 1);
  Fail(fmt::format("the template refuses the messages: {}",
                   ToText(interpreter.heap(), bound.Get(0))->text()));
}

Value FormatTime(Interpreter& interpreter, Arguments& arguments, const Date& date) {
  const Bound bound(arguments, "strftime_now", {"format"}, 1);
  const MarkedText* format = bound.Text(0);
  if (format == nullptr) Fail("strftime_now() needs a format");
  if (!date.now) {
    if (date.no_date.empty())
      Fail("strftime_now() is called, but no date was given to the rendering");
    return interpreter.heap().NewText(date.no_date, format->origin());
  }
  if (format->text().find('\0') != std::string::npos) Fail("a NUL in the format of strftime_now()");
  std::array<char, kMaxTimeBytes> text;
  // strftime returns 0 both for an empty result and for one that does not fit. A character before
  // the format tells them apart.
  const std::string marked = " " + format->text();
  const size_t size = std::strftime(text.data(), text.size(), marked.c_str(), &*date.now);
  if (size == 0) FailLimit(fmt::format("strftime_now() of more than {} bytes", kMaxTimeBytes));
  return interpreter.heap().NewText({text.data() + 1, size - 1}, format->origin());
}

}  // namespace

void AddGlobals(Heap& heap, Scope& scope, const Date& date) {
  const auto add = [&](const char* name, Value (*function)(Interpreter&, Arguments&)) {
    scope.variables[name] = heap.NewCallable(name, function);
  };
  add("range", MakeRange);
  add("dict", MakeDict);
  add("namespace", MakeNamespace);
  add("raise_exception", RaiseException);
  scope.variables["strftime_now"] =
      heap.NewCallable("strftime_now", [date](Interpreter& interpreter, Arguments& arguments) {
        return FormatTime(interpreter, arguments, date);
      });
}

}  // namespace tome::jinja
