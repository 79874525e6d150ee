// The tests that follow `is`.
#include <fmt/format.h>

#include <unordered_map>

#include "tome/text/jinja/builtins.h"
#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/printing.h"
#include "tome/text/jinja/python_text.h"

namespace tome::jinja {
namespace {

const Value& Other(const Arguments& arguments, const char* test) {
  if (arguments.positional.size() != 1 || !arguments.keyword.empty()) {
    Fail(fmt::format("the test '{}' needs one argument", test));
  }
  return arguments.positional[0];
}

template <Comparison kComparison>
bool IsCompared(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  return Compare(interpreter.heap(), kComparison, input, Other(arguments, "comparison"));
}

bool IsDivisible(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Value rest =
      Arithmetic(interpreter.heap(), Operator::kModulo, input, Other(arguments, "divisibleby"));
  return !Truthy(rest);
}

template <int64_t kRest>
bool HasParity(Interpreter& interpreter, const Value& input, const Arguments&) {
  const Value rest = Arithmetic(interpreter.heap(), Operator::kModulo, input, Value(int64_t{2}));
  return Equal(interpreter.heap(), rest, Value(kRest));
}

bool IsSame(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Value& other = Other(arguments, "sameas");
  if (input.data.index() != other.data.index()) return false;
  if (const List* list = input.list()) return list == other.list();
  if (const Dict* dict = input.dict()) return dict == other.dict();
  return Equal(interpreter.heap(), input, other);
}

bool IsSequence(const Value& value) {
  return value.text() != nullptr || value.list() != nullptr || value.dict() != nullptr ||
         value.Is<Undefined>();
}

template <Case kCase>
bool HasCase(Interpreter& interpreter, const Value& input, const Arguments&) {
  const Text text = ToText(interpreter.heap(), input);
  interpreter.heap().Charge(2 * text->size());
  const auto changed = [&](Case to) { return ChangeCase(*text, to).text(); };
  // The text has cased characters, and the change of case leaves it unchanged.
  return changed(kCase) == text->text() &&
         (changed(Case::kUpper) != text->text() || changed(Case::kLower) != text->text());
}

template <typename T>
bool Holds(Interpreter&, const Value& input, const Arguments&) {
  return input.Is<T>();
}

using Interp = Interpreter;
using Args = Arguments;

const std::unordered_map<std::string_view, Test>& Tests() {
  static const std::unordered_map<std::string_view, Test> kTests = {
      {"defined", [](Interp&, const Value& v, const Args&) { return !v.Is<Undefined>(); }},
      {"undefined", Holds<Undefined>},
      {"none", Holds<None>},
      {"boolean", Holds<bool>},
      {"integer", Holds<int64_t>},
      {"float", Holds<double>},
      {"string", Holds<Text>},
      {"mapping", Holds<Dict*>},
      {"number", [](Interp&, const Value& v, const Args&) { return v.IsNumber(); }},
      {"sequence", [](Interp&, const Value& v, const Args&) { return IsSequence(v); }},
      {"iterable", [](Interp&, const Value& v, const Args&) { return IsSequence(v); }},
      {"callable",
       [](Interp&, const Value& v, const Args&) {
         return v.Is<Callable*>() || v.Is<Loop*>() || v.Is<Undefined>();
       }},
      {"true", [](Interp&, const Value& v, const Args&) { return v.Is<bool>() && v.As<bool>(); }},
      {"false", [](Interp&, const Value& v, const Args&) { return v.Is<bool>() && !v.As<bool>(); }},
      {"escaped", [](Interp&, const Value&, const Args&) { return false; }},
      {"in", [](Interp& i, const Value& v,
                const Args& a) { return Contains(i.heap(), Other(a, "in"), v); }},
      {"filter",
       [](Interp&, const Value& v, const Args&) {
         return v.text() != nullptr && FindFilter(v.text()->text()) != nullptr;
       }},
      {"test",
       [](Interp&, const Value& v, const Args&) {
         return v.text() != nullptr && FindTest(v.text()->text()) != nullptr;
       }},
      {"sameas", IsSame},
      {"divisibleby", IsDivisible},
      {"odd", HasParity<1>},
      {"even", HasParity<0>},
      {"lower", HasCase<Case::kLower>},
      {"upper", HasCase<Case::kUpper>},
      {"eq", IsCompared<Comparison::kEqual>},
      {"equalto", IsCompared<Comparison::kEqual>},
      {"==", IsCompared<Comparison::kEqual>},
      {"ne", IsCompared<Comparison::kNotEqual>},
      {"!=", IsCompared<Comparison::kNotEqual>},
      {"lt", IsCompared<Comparison::kLess>},
      {"lessthan", IsCompared<Comparison::kLess>},
      {"<", IsCompared<Comparison::kLess>},
      {"le", IsCompared<Comparison::kLessEqual>},
      {"<=", IsCompared<Comparison::kLessEqual>},
      {"gt", IsCompared<Comparison::kGreater>},
      {"greaterthan", IsCompared<Comparison::kGreater>},
      {">", IsCompared<Comparison::kGreater>},
      {"ge", IsCompared<Comparison::kGreaterEqual>},
      {">=", IsCompared<Comparison::kGreaterEqual>},
  };
  return kTests;
}

}  // namespace

Test FindTest(std::string_view name) {
  const auto found = Tests().find(name);
  return found == Tests().end() ? nullptr : found->second;
}

}  // namespace tome::jinja
