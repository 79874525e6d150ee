// Filters on texts: trim, replace, case, indent, join and formatting.
#include <fmt/format.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "tome/text/jinja/builtins.h"
#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/formatting.h"
#include "tome/text/jinja/json_values.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/printing.h"
#include "tome/text/jinja/python_text.h"
#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

using Interp = Interpreter;
using Args = Arguments;

Text Input(Interp& interpreter, const Value& input) {
  Text text = ToText(interpreter.heap(), input);
  interpreter.heap().Scan(text->size());
  return text;
}

Value String(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "string", {});
  return Value(ToText(interpreter.heap(), input));
}

Value Trim(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "trim", {"chars"});
  const Text text = Input(interpreter, input);
  std::optional<std::string_view> characters;
  if (const MarkedText* given = bound.Text(0)) {
    interpreter.heap().Charge(sizeof(char32_t) * given->size());
    characters = given->text();
  }
  const Range range = Strip(text->text(), characters, Side::kBoth);
  interpreter.heap().Charge(range.end - range.begin);
  return interpreter.heap().NewText(text->Slice(range.begin, range.end));
}

Value ReplaceText(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "replace", {"old", "new", "count"}, 2);
  Heap& heap = interpreter.heap();
  const Text text = Input(interpreter, input);
  const Text old = ToText(heap, bound.Get(0));
  const Text replacement = ToText(heap, bound.Get(1));
  const int64_t limit = bound.Int(2, -1);
  uint64_t count = CountText(text->text(), old->text());
  if (limit >= 0) count = std::min(count, static_cast<uint64_t>(limit));
  uint64_t added = 0;
  const uint64_t each =
      replacement->size() + (replacement->runs().size() + 1) * sizeof(MarkedText::Run);
  if (__builtin_mul_overflow(count, each, &added)) added = UINT64_MAX;
  heap.Charge(added);
  heap.Charge(text->size());
  return heap.NewText(Replace(*text, old->text(), *replacement, limit));
}

template <Case kCase>
Value ChangeCaseOf(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "change of case", {});
  const Text text = Input(interpreter, input);
  interpreter.heap().Charge(text->size());
  return interpreter.heap().NewText(ChangeCase(*text, kCase));
}

// The filter title uses Jinja's own words, not those of str.title: a word begins after spaces,
// dashes and opening brackets.
Value Title(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "title", {});
  const Text text = Input(interpreter, input);
  const std::string_view bytes = text->text();
  interpreter.heap().Charge(2 * text->size());
  const auto separates = [](char32_t c) {
    return IsPythonSpace(c) || std::u32string_view(U"-({[<").find(c) != std::u32string_view::npos;
  };
  MarkedText out;
  for (uint64_t at = 0; at < bytes.size();) {
    const uint64_t begin = at;
    const bool separator = separates(NextCodePoint(bytes, at));
    const uint64_t first_end = at;
    while (at < bytes.size()) {
      uint64_t next = at;
      if (separates(NextCodePoint(bytes, next)) != separator) break;
      at = next;
    }
    if (separator) {
      out.Append(*text, begin, at);
    } else {
      out.Append(ChangeCase(text->Slice(begin, first_end), Case::kUpper));
      out.Append(ChangeCase(text->Slice(first_end, at), Case::kLower));
    }
  }
  return interpreter.heap().NewText(std::move(out));
}

Value Indent(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "indent", {"width", "first", "blank"});
  const Text text = Input(interpreter, input);
  MarkedText indention;
  if (bound.Get(0).text() != nullptr) {
    indention = *bound.Get(0).text();
  } else {
    const int64_t width = std::clamp<int64_t>(bound.Int(0, 4), 0, kMaxFormatWidth);
    indention = MarkedText(std::string(static_cast<size_t>(width), ' '), Origin::kTemplate);
  }
  const bool blank = bound.Truth(2, false);
  MarkedText out;
  if (bound.Truth(1, false)) out.Append(indention);
  // As in Jinja, a line end is added and taken away again, so that the text keeps its last line
  // end.
  MarkedText lines = *text;
  lines.Append("\n", text->origin());
  bool first = true;
  for (const Line& line : SplitLines(lines.text())) {
    interpreter.heap().Charge(line.end - line.text.begin + indention.size() +
                              3 * sizeof(MarkedText::Run));
    if (!first) out.Append("\n", text->origin());
    if (!first && (blank || line.text.begin < line.text.end)) out.Append(indention);
    first = false;
    out.Append(lines, line.text.begin, line.text.end);
  }
  return interpreter.heap().NewText(std::move(out));
}

Value Escape(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "escape", {});
  const Text text = Input(interpreter, input);
  interpreter.heap().Charge(5 * text->size());
  return interpreter.heap().NewText(EscapeHtml(*text));
}

Value Format(Interp& interpreter, const Value& input, const Args& arguments) {
  Heap& heap = interpreter.heap();
  const Text format = Input(interpreter, input);
  if (!arguments.positional.empty() && !arguments.keyword.empty()) {
    Fail("format() takes positional or keyword arguments, not both");
  }
  if (!arguments.keyword.empty()) {
    Dict* values = heap.NewDict(Origin::kTemplate);
    for (const auto& [name, value] : arguments.keyword) heap.Set(*values, name, value);
    return heap.NewText(PercentFormat(heap, *format, Value(values)));
  }
  List* values = heap.NewTuple(Origin::kTemplate);
  for (const Value& value : arguments.positional) heap.Append(*values, value);
  return heap.NewText(PercentFormat(heap, *format, Value(values)));
}

Value WordCount(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "wordcount", {});
  const Text text = Input(interpreter, input);
  int64_t count = 0;
  bool inside = false;
  for (uint64_t at = 0; at < text->size();) {
    const auto c = static_cast<UChar32>(NextCodePoint(text->text(), at));
    const bool word = c == '_' || (U_GET_GC_MASK(c) & U_GC_L_MASK) != 0 ||
                      u_getIntPropertyValue(c, UCHAR_NUMERIC_TYPE) != U_NT_NONE;
    if (word && !inside) ++count;
    inside = word;
  }
  return Value(count, text->origin());
}

}  // namespace

Function FindTextFilter(std::string_view name) {
  static const std::unordered_map<std::string_view, Function> kFilters = {
      {"string", String},
      {"safe", String},
      {"trim", Trim},
      {"replace", ReplaceText},
      {"upper", ChangeCaseOf<Case::kUpper>},
      {"lower", ChangeCaseOf<Case::kLower>},
      {"capitalize", ChangeCaseOf<Case::kCapitalized>},
      {"title", Title},
      {"indent", Indent},
      {"escape", Escape},
      {"e", Escape},
      {"format", Format},
      {"wordcount", WordCount},
      {"tojson", ToJsonFilter},
  };
  const auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace tome::jinja
