// The methods of str.
#include <fmt/format.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "tome/text/jinja/builtins.h"
#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/formatting.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/python_text.h"
#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

using Interp = Interpreter;
using Args = Arguments;

// Returns the text that a method is called on and counts one walk over it.
const MarkedText& Self(Interp& interpreter, const Value& self) {
  const MarkedText& text = *self.text();
  interpreter.heap().Scan(text.size());
  return text;
}

Value Part(Interp& interpreter, const MarkedText& text, Range range) {
  interpreter.heap().Charge(range.end - range.begin);
  return interpreter.heap().NewText(text.Slice(range.begin, range.end));
}

Value Parts(Interp& interpreter, const MarkedText& text, const std::vector<Range>& ranges) {
  List* list = interpreter.heap().NewList(text.origin());
  for (const Range& range : ranges) {
    interpreter.heap().Append(*list, Part(interpreter, text, range));
  }
  return Value(list);
}

template <Side kSide>
Value StripMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "strip", {"chars"});
  const MarkedText& text = Self(interpreter, self);
  std::optional<std::string_view> characters;
  if (const MarkedText* given = bound.Text(0)) {
    interpreter.heap().Charge(sizeof(char32_t) * given->size());
    characters = given->text();
  }
  return Part(interpreter, text, Strip(text.text(), characters, kSide));
}

template <Side kFrom>
Value SplitMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "split", {"sep", "maxsplit"});
  const MarkedText& text = Self(interpreter, self);
  std::optional<std::string_view> separator;
  if (const MarkedText* given = bound.Text(0)) {
    if (given->empty()) Fail("split() with an empty separator");
    separator = given->text();
  }
  // Pays for the parts before they become values, at most one for each byte.
  interpreter.heap().Charge(text.size());
  return Parts(interpreter, text, Split(text.text(), separator, bound.Int(1, -1), kFrom));
}

Value SplitLinesMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "splitlines", {"keepends"});
  const MarkedText& text = Self(interpreter, self);
  interpreter.heap().Charge(text.size());
  std::vector<Range> ranges;
  for (const Line& line : SplitLines(text.text())) {
    ranges.push_back({line.text.begin, bound.Truth(0, false) ? line.end : line.text.end});
  }
  return Parts(interpreter, text, ranges);
}

template <Side kFrom>
Value PartitionMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "partition", {"sep"}, 1);
  const MarkedText& text = Self(interpreter, self);
  const MarkedText* separator = bound.Text(0);
  if (separator == nullptr || separator->empty()) Fail("partition() needs a separator");
  interpreter.heap().Charge(text.size() + separator->size());
  const size_t found = kFrom == Side::kLeft
                           ? FindText(text.text(), separator->text())
                           : FindLastText(text.text(), separator->text(), text.size());
  List* parts = interpreter.heap().NewTuple(text.origin());
  const auto add = [&](size_t begin, size_t end) {
    interpreter.heap().Append(*parts, Part(interpreter, text, {begin, end}));
  };
  if (found != std::string::npos) {
    add(0, found);
    add(found, found + separator->size());
    add(found + separator->size(), text.size());
  } else if (kFrom == Side::kLeft) {
    add(0, text.size());
    add(0, 0);
    add(0, 0);
  } else {
    add(0, 0);
    add(0, 0);
    add(0, text.size());
  }
  return Value(parts);
}

// Returns self[start:end] for the methods that take `start` and `end`.
Value Window(Interp& interpreter, const Value& self, const Bound& bound, size_t start) {
  if (!bound.Has(start) && !bound.Has(start + 1)) return self;
  const Value begin = bound.Get(start);
  const Value end = bound.Get(start + 1);
  return Slice(interpreter.heap(), self, bound.Has(start) ? &begin : nullptr,
               bound.Has(start + 1) ? &end : nullptr, nullptr);
}

template <Side kAt>
Value AffixMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, kAt == Side::kLeft ? "startswith" : "endswith",
                    {"affix", "start", "end"}, 1);
  const Value window = Window(interpreter, self, bound, 1);
  const std::string& text = window.text()->text();
  const auto fits = [&](const Value& affix) {
    if (affix.text() == nullptr) {
      RequireDefined(affix);
      Fail(fmt::format("startswith() and endswith() take a str, not a {}", TypeName(affix)));
    }
    interpreter.heap().Scan(affix.text()->size());
    const std::string& part = affix.text()->text();
    return kAt == Side::kLeft ? text.starts_with(part) : text.ends_with(part);
  };
  const List* tuple = bound.Get(0).list();
  if (tuple == nullptr || !tuple->is_tuple) return Value(fits(bound.Get(0)));
  return Value(std::any_of(tuple->items.begin(), tuple->items.end(), fits));
}

// Returns the number of code points before the needle; -1 if there is none.
template <Side kFrom>
int64_t FindIn(Interp& interpreter, const Value& self, const Bound& bound) {
  const MarkedText& whole = Self(interpreter, self);
  const MarkedText* needle = bound.Text(0);
  if (needle == nullptr) Fail("find() needs a str");
  if (kFrom == Side::kRight) interpreter.heap().Charge(whole.size() + needle->size());
  const Value window = Window(interpreter, self, bound, 1);
  const std::string_view text = window.text()->text();
  const size_t found = kFrom == Side::kLeft ? FindText(text, needle->text())
                                            : FindLastText(text, needle->text(), text.size());
  if (found == std::string_view::npos) return -1;
  const auto position = static_cast<int64_t>(CountCodePoints(text.substr(0, found)));
  int64_t start = bound.Int(1, 0);
  const auto length = static_cast<int64_t>(CountCodePoints(whole.text()));
  if (start < 0) start = std::max<int64_t>(0, start + length);
  if (start > length) return -1;
  return position + start;
}

template <Side kFrom>
Value FindMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "find", {"sub", "start", "end"}, 1);
  return Value(FindIn<kFrom>(interpreter, self, bound), OriginOf(self));
}

template <Side kFrom>
Value IndexMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "index", {"sub", "start", "end"}, 1);
  const int64_t found = FindIn<kFrom>(interpreter, self, bound);
  if (found < 0) Fail("index(): the text is not found");
  return Value(found, OriginOf(self));
}

Value CountMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "count", {"sub", "start", "end"}, 1);
  const MarkedText* needle = bound.Text(0);
  if (needle == nullptr) Fail("count() needs a str");
  Self(interpreter, self);
  const Value window = Window(interpreter, self, bound, 1);
  return Value(static_cast<int64_t>(CountText(window.text()->text(), needle->text())),
               OriginOf(self));
}

Value ReplaceMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "replace", {"old", "new", "count"}, 2);
  return interpreter.ApplyFilter("replace", self, [&] {
    if (bound.Text(0) == nullptr || bound.Text(1) == nullptr) Fail("replace() needs two texts");
    return arguments;
  }());
}

template <Case kCase>
Value CaseMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "change of case", {});
  const MarkedText& text = Self(interpreter, self);
  interpreter.heap().Charge(text.size());
  return interpreter.heap().NewText(ChangeCase(text, kCase));
}

template <Side kAt>
Value RemoveAffixMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "removeprefix", {"affix"}, 1);
  const MarkedText& text = *self.text();
  const MarkedText* affix = bound.Text(0);
  if (affix == nullptr) Fail("removeprefix() and removesuffix() need a str");
  Range range{0, text.size()};
  if (kAt == Side::kLeft && text.text().starts_with(affix->text())) range.begin = affix->size();
  if (kAt == Side::kRight && text.text().ends_with(affix->text())) range.end -= affix->size();
  return Part(interpreter, text, range);
}

Value JoinMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "join", {"iterable"}, 1);
  RequireDefined(bound.Get(0));
  MarkedText joined;
  bool first = true;
  for (const Value& item : Iterate(interpreter.heap(), bound.Get(0))) {
    if (item.text() == nullptr) {
      Fail(fmt::format("join() takes texts, one is a {}", TypeName(item)));
    }
    interpreter.heap().Charge(self.text()->size() + item.text()->size());
    if (!first) joined.Append(*self.text());
    first = false;
    joined.Append(*item.text());
  }
  return interpreter.heap().NewText(std::move(joined));
}

Value FormatMethod(Interp& interpreter, const Value& self, const Args& arguments) {
  return interpreter.heap().NewText(BraceFormat(interpreter.heap(), *self.text(), arguments));
}

// Returns true where the text is not empty and every character has the property.
template <typename Property>
Value All(Interp& interpreter, const Value& self, Property&& property) {
  const MarkedText& text = Self(interpreter, self);
  bool all = !text.empty();
  for (uint64_t at = 0; all && at < text.size();) {
    all = property(static_cast<UChar32>(NextCodePoint(text.text(), at)));
  }
  return Value(all);
}

bool IsDigit(UChar32 c) {
  const auto type = u_getIntPropertyValue(c, UCHAR_NUMERIC_TYPE);
  return type == U_NT_DECIMAL || type == U_NT_DIGIT;
}
bool IsNumeric(UChar32 c) { return u_getIntPropertyValue(c, UCHAR_NUMERIC_TYPE) != U_NT_NONE; }
bool IsAlpha(UChar32 c) { return (U_GET_GC_MASK(c) & U_GC_L_MASK) != 0; }

template <typename Property>
constexpr auto Wrap(Property) {
  return [](Interp& i, const Value& self, const Args&) { return All(i, self, Property{}); };
}

struct Digit {
  bool operator()(UChar32 c) const { return IsDigit(c); }
};
struct Alpha {
  bool operator()(UChar32 c) const { return IsAlpha(c); }
};
struct AlphaNumeric {
  bool operator()(UChar32 c) const { return IsAlpha(c) || IsNumeric(c); }
};
struct Space {
  bool operator()(UChar32 c) const { return IsPythonSpace(static_cast<char32_t>(c)); }
};

const std::unordered_map<std::string_view, Function>& Methods() {
  static const std::unordered_map<std::string_view, Function> kMethods = {
      {"strip", StripMethod<Side::kBoth>},
      {"lstrip", StripMethod<Side::kLeft>},
      {"rstrip", StripMethod<Side::kRight>},
      {"split", SplitMethod<Side::kLeft>},
      {"rsplit", SplitMethod<Side::kRight>},
      {"splitlines", SplitLinesMethod},
      {"partition", PartitionMethod<Side::kLeft>},
      {"rpartition", PartitionMethod<Side::kRight>},
      {"startswith", AffixMethod<Side::kLeft>},
      {"endswith", AffixMethod<Side::kRight>},
      {"removeprefix", RemoveAffixMethod<Side::kLeft>},
      {"removesuffix", RemoveAffixMethod<Side::kRight>},
      {"find", FindMethod<Side::kLeft>},
      {"rfind", FindMethod<Side::kRight>},
      {"index", IndexMethod<Side::kLeft>},
      {"rindex", IndexMethod<Side::kRight>},
      {"count", CountMethod},
      {"replace", ReplaceMethod},
      {"upper", CaseMethod<Case::kUpper>},
      {"lower", CaseMethod<Case::kLower>},
      {"title", CaseMethod<Case::kTitle>},
      {"capitalize", CaseMethod<Case::kCapitalized>},
      {"swapcase", CaseMethod<Case::kSwapped>},
      {"join", JoinMethod},
      {"format", FormatMethod},
      {"isdigit", Wrap(Digit{})},
      {"isalpha", Wrap(Alpha{})},
      {"isalnum", Wrap(AlphaNumeric{})},
      {"isspace", Wrap(Space{})},
      {"isupper", [](Interp& i, const Value& self,
                     const Args& a) { return Value(i.ApplyTest("upper", self, a)); }},
      {"islower", [](Interp& i, const Value& self,
                     const Args& a) { return Value(i.ApplyTest("lower", self, a)); }},
  };
  return kMethods;
}

}  // namespace

Function FindTextMethod(std::string_view name) {
  const auto found = Methods().find(name);
  return found == Methods().end() ? nullptr : found->second;
}

}  // namespace tome::jinja
