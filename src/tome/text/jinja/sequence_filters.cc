// Filters on lists, tuples, dicts and texts as sequences. Where Jinja gives a generator, they give
// a list.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "tome/text/jinja/builtins.h"
#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/printing.h"
#include "tome/text/jinja/python_text.h"
#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

using Interp = Interpreter;
using Args = Arguments;

// Returns the origin of a list made from the items of `input`.
Origin ListOrigin(const Value& input) { return OriginOf(input); }

Value MakeList(Interp& interpreter, std::vector<Value> items, Origin origin) {
  List* list = interpreter.heap().NewList(origin);
  interpreter.heap().ChargeItems(items.size());
  list->items = std::move(items);
  return Value(list);
}

// Evaluates object.a.b.0 for the path "a.b.0". The path may be an int.
Value AttributePath(Interp& interpreter, const Value& object, const Value& path) {
  if (path.text() == nullptr) return interpreter.GetItem(object, path);
  Value value = object;
  std::string_view rest = path.text()->text();
  while (true) {
    const size_t end = std::min(rest.find('.'), rest.size());
    const std::string_view part = rest.substr(0, end);
    const bool number = !part.empty() && part.size() < 10 &&
                        part.find_first_not_of("0123456789") == std::string_view::npos;
    value =
        interpreter.GetItem(value, number ? Value(int64_t{std::stoi(std::string(part))})
                                          : interpreter.heap().NewText(part, Origin::kTemplate));
    if (end == rest.size()) return value;
    rest.remove_prefix(end + 1);
  }
}

// The key that items are sorted and compared by: an attribute if one is given, in small letters if
// case does not matter.
struct Key {
  Value attribute;
  bool has_attribute = false;
  bool case_sensitive = false;

  Key(const Bound& bound, size_t case_index, size_t attribute_index)
      : attribute(bound.Get(attribute_index)),
        has_attribute(bound.Has(attribute_index) && !bound.Get(attribute_index).Is<None>()),
        case_sensitive(bound.Truth(case_index, false)) {}
  explicit Key(bool sensitive) : case_sensitive(sensitive) {}

  Value Of(Interp& interpreter, const Value& item) const {
    const Value value = has_attribute ? AttributePath(interpreter, item, attribute) : item;
    if (case_sensitive || value.text() == nullptr) return value;
    interpreter.heap().Charge(value.text()->size());
    return interpreter.heap().NewText(ChangeCase(*value.text(), Case::kLower));
  }
};

// Sorts stably. The key of each item is computed once.
std::vector<Value> Sorted(Interp& interpreter, const std::vector<Value>& items, const Key& key,
                          bool reverse) {
  std::vector<std::pair<Value, const Value*>> keyed;
  interpreter.heap().ChargeItems(3 * items.size());
  for (const Value& item : items) keyed.emplace_back(key.Of(interpreter, item), &item);
  Heap& heap = interpreter.heap();
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    return reverse ? Less(heap, b.first, a.first) : Less(heap, a.first, b.first);
  });
  std::vector<Value> sorted;
  for (const auto& [sort_key, item] : keyed) sorted.push_back(*item);
  return sorted;
}

Value Length(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "length", {});
  if (const MarkedText* text = input.text()) {
    interpreter.heap().Scan(text->size());
    return Value(static_cast<int64_t>(CountCodePoints(text->text())), text->origin());
  }
  if (const List* list = input.list()) return Value(std::ssize(list->items), list->origin);
  if (const Dict* dict = input.dict()) return Value(std::ssize(dict->entries()), dict->origin);
  if (input.Is<Undefined>()) return Value(int64_t{0});
  Fail(fmt::format("a {} has no length", TypeName(input)));
}

Value ToList(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "list", {});
  return MakeList(interpreter, Iterate(interpreter.heap(), input), ListOrigin(input));
}

Value First(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "first", {});
  const std::vector<Value> items = Iterate(interpreter.heap(), input);
  return items.empty() ? Value(Undefined{"the first item of nothing"}) : items.front();
}

Value Last(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "last", {});
  const std::vector<Value> items = Iterate(interpreter.heap(), input);
  return items.empty() ? Value(Undefined{"the last item of nothing"}) : items.back();
}

Value Reverse(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "reverse", {});
  if (input.text() != nullptr) {
    const Value step(int64_t{-1});
    return Slice(interpreter.heap(), input, nullptr, nullptr, &step);
  }
  std::vector<Value> items = Iterate(interpreter.heap(), input);
  std::reverse(items.begin(), items.end());
  return MakeList(interpreter, std::move(items), ListOrigin(input));
}

Value Join(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "join", {"d", "attribute"});
  Heap& heap = interpreter.heap();
  const Text separator =
      bound.Has(0) ? ToText(heap, bound.Get(0)) : std::make_shared<const MarkedText>();
  MarkedText joined;
  bool first = true;
  for (const Value& item : Iterate(heap, input)) {
    const bool has_attribute = bound.Has(1) && !bound.Get(1).Is<None>();
    const Text text =
        ToText(heap, has_attribute ? AttributePath(interpreter, item, bound.Get(1)) : item);
    heap.Charge(text->size() + separator->size() + 2 * sizeof(MarkedText::Run));
    if (!first) joined.Append(*separator);
    first = false;
    joined.Append(*text);
  }
  return heap.NewText(std::move(joined));
}

Value Sort(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "sort", {"reverse", "case_sensitive", "attribute"});
  const std::vector<Value> items = Iterate(interpreter.heap(), input);
  return MakeList(interpreter, Sorted(interpreter, items, Key(bound, 1, 2), bound.Truth(0, false)),
                  ListOrigin(input));
}

Value Unique(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "unique", {"case_sensitive", "attribute"});
  const Key key(bound, 0, 1);
  std::unordered_set<std::string> seen;
  std::vector<Value> kept;
  for (const Value& item : Iterate(interpreter.heap(), input)) {
    const std::string hash = HashKey(key.Of(interpreter, item));
    interpreter.heap().Charge(hash.size() + sizeof(Value));
    if (seen.insert(hash).second) kept.push_back(item);
  }
  return MakeList(interpreter, std::move(kept), ListOrigin(input));
}

template <bool kMax>
Value Extreme(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, kMax ? "max" : "min", {"case_sensitive", "attribute"});
  const Key key(bound, 0, 1);
  Value best = Undefined{"the extreme of nothing"};
  Value best_key;
  bool first = true;
  for (const Value& item : Iterate(interpreter.heap(), input)) {
    const Value item_key = key.Of(interpreter, item);
    if (first || (kMax ? Less(interpreter.heap(), best_key, item_key)
                       : Less(interpreter.heap(), item_key, best_key))) {
      best = item;
      best_key = item_key;
    }
    first = false;
  }
  return best;
}

Value Sum(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "sum", {"attribute", "start"});
  Value sum = bound.Has(1) ? bound.Get(1) : Value(int64_t{0});
  for (const Value& item : Iterate(interpreter.heap(), input)) {
    const bool has_attribute = bound.Has(0) && !bound.Get(0).Is<None>();
    sum = Arithmetic(interpreter.heap(), Operator::kAdd, sum,
                     has_attribute ? AttributePath(interpreter, item, bound.Get(0)) : item);
  }
  return sum;
}

// Returns the positional arguments from `first` on and all keyword arguments, for the filter or
// test that they are passed to.
Args Rest(const Args& arguments, size_t first) {
  Args rest;
  rest.positional.assign(arguments.positional.begin() +
                             static_cast<int64_t>(std::min(first, arguments.positional.size())),
                         arguments.positional.end());
  rest.keyword = arguments.keyword;
  return rest;
}

std::string NameArgument(const Value& name, const char* what) {
  if (name.text() == nullptr) Fail(fmt::format("the name of a {} must be a text", what));
  return name.text()->text();
}

Value Map(Interp& interpreter, const Value& input, const Args& arguments) {
  std::vector<Value> mapped;
  if (arguments.positional.empty()) {
    const Bound bound(arguments, "map", {"attribute", "default"}, 1);
    for (const Value& item : Iterate(interpreter.heap(), input)) {
      Value value = AttributePath(interpreter, item, bound.Get(0));
      mapped.push_back(value.Is<Undefined>() && bound.Has(1) ? bound.Get(1) : std::move(value));
    }
  } else {
    const std::string name = NameArgument(arguments.positional[0], "filter");
    const Args rest = Rest(arguments, 1);
    for (const Value& item : Iterate(interpreter.heap(), input)) {
      mapped.push_back(interpreter.ApplyFilter(name, item, rest));
    }
  }
  return MakeList(interpreter, std::move(mapped), ListOrigin(input));
}

enum class Keep { kTrue, kFalse };

// select and reject test the item; selectattr and rejectattr test its attribute, named by the first
// argument.
template <Keep kKeep, bool kAttribute>
Value Select(Interp& interpreter, const Value& input, const Args& arguments) {
  constexpr size_t kTestIndex = kAttribute ? 1 : 0;
  if (kAttribute && arguments.positional.empty()) Fail("selectattr() needs the attribute's name");
  const bool has_test = arguments.positional.size() > kTestIndex;
  const std::string test =
      has_test ? NameArgument(arguments.positional[kTestIndex], "test") : std::string();
  const Args rest = Rest(arguments, kTestIndex + 1);
  std::vector<Value> kept;
  for (const Value& item : Iterate(interpreter.heap(), input)) {
    const Value value =
        kAttribute ? AttributePath(interpreter, item, arguments.positional[0]) : item;
    const bool passes = has_test ? interpreter.ApplyTest(test, value, rest) : Truthy(value);
    if (passes == (kKeep == Keep::kTrue)) kept.push_back(item);
  }
  return MakeList(interpreter, std::move(kept), ListOrigin(input));
}

Value Items(Interp& interpreter, const Value& input, const Args& arguments) {
  if (input.Is<Undefined>()) return MakeList(interpreter, {}, Origin::kTemplate);
  if (input.dict() == nullptr) Fail("items() needs a dict");
  return FindDictMethod("items")(interpreter, input, arguments);
}

Value DictSort(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "dictsort", {"case_sensitive", "by", "reverse"});
  if (input.dict() == nullptr) Fail("dictsort() needs a dict");
  const std::string by = bound.Text(1) == nullptr ? "key" : bound.Text(1)->text();
  if (by != "key" && by != "value") Fail("dictsort(): 'by' must be key or value");
  const Value pairs = FindDictMethod("items")(interpreter, input, {});
  Key key(bound.Truth(0, false));
  key.has_attribute = true;
  key.attribute = Value(int64_t{by == "value"});
  return MakeList(interpreter, Sorted(interpreter, pairs.list()->items, key, bound.Truth(2, false)),
                  ListOrigin(input));
}

Value Batch(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "batch", {"linecount", "fill_with"}, 1);
  const int64_t size = bound.Int(0, 0);
  if (size < 1 || size > kMaxRange) Fail(fmt::format("batch() of 1 to {} items", kMaxRange));
  Heap& heap = interpreter.heap();
  List* batches = heap.NewList(ListOrigin(input));
  List* batch = nullptr;
  for (const Value& item : Iterate(heap, input)) {
    if (batch == nullptr || std::ssize(batch->items) == size) {
      batch = heap.NewList(ListOrigin(input));
      heap.Append(*batches, Value(batch));
    }
    heap.Append(*batch, item);
  }
  const bool fill = bound.Has(1) && !bound.Get(1).Is<None>();
  while (fill && batch != nullptr && std::ssize(batch->items) < size) {
    heap.Append(*batch, bound.Get(1));
  }
  return Value(batches);
}

Value Attribute(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "attr", {"name"}, 1);
  // The items of a dict are no attributes.
  if (input.dict() != nullptr) return Undefined{"attr of a dict"};
  return interpreter.GetAttribute(input, NameArgument(bound.Get(0), "attribute"));
}

}  // namespace

Function FindSequenceFilter(std::string_view name) {
  static const std::unordered_map<std::string_view, Function> kFilters = {
      {"length", Length},
      {"count", Length},
      {"list", ToList},
      {"first", First},
      {"last", Last},
      {"reverse", Reverse},
      {"join", Join},
      {"sort", Sort},
      {"unique", Unique},
      {"min", Extreme<false>},
      {"max", Extreme<true>},
      {"sum", Sum},
      {"map", Map},
      {"select", Select<Keep::kTrue, false>},
      {"reject", Select<Keep::kFalse, false>},
      {"selectattr", Select<Keep::kTrue, true>},
      {"rejectattr", Select<Keep::kFalse, true>},
      {"items", Items},
      {"dictsort", DictSort},
      {"batch", Batch},
      {"attr", Attribute},
  };
  const auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace tome::jinja
