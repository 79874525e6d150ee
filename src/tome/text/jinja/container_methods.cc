// The methods of lists, dicts and `loop`.
//
// Jinja's immutable sandbox, which transformers uses, forbids the methods that change their object.
// So some published templates that append to lists fail there with tool calls. Here they work,
// because a template reaches only copies made for this rendering.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "tome/text/jinja/builtins.h"
#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/operators.h"

namespace tome::jinja {
namespace {

using Interp = Interpreter;
using Args = Arguments;

// Returns the list for a method that changes it; fails for a tuple.
List& Mutable(const Value& self) {
  if (self.list()->is_tuple) Fail("a tuple cannot be changed");
  return *self.list();
}

Value Append(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "append", {"item"}, 1);
  interpreter.heap().Append(Mutable(self), bound.Get(0));
  return Value(None{});
}

Value Extend(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "extend", {"items"}, 1);
  RequireDefined(bound.Get(0));
  for (const Value& item : Iterate(interpreter.heap(), bound.Get(0))) {
    interpreter.heap().Append(Mutable(self), item);
  }
  return Value(None{});
}

Value Insert(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "insert", {"index", "item"}, 2);
  List& list = Mutable(self);
  const int64_t length = std::ssize(list.items);
  int64_t index = bound.Int(0, 0);
  if (index < 0) index += length;
  index = std::clamp<int64_t>(index, 0, length);
  interpreter.heap().Scan(list.items.size() * sizeof(Value));
  interpreter.heap().ChargeItems(1);
  list.items.insert(list.items.begin() + index, bound.Get(1));
  return Value(None{});
}

Value PopItem(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "pop", {"index"});
  List& list = Mutable(self);
  const int64_t length = std::ssize(list.items);
  int64_t index = bound.Int(0, -1);
  if (index < 0) index += length;
  if (index < 0 || index >= length) Fail("pop(): the list has no such item");
  interpreter.heap().Scan(list.items.size() * sizeof(Value));
  const auto place = list.items.begin() + index;
  Value item = *place;
  list.items.erase(place);
  return item;
}

// Returns the place of an item; -1 where the list does not hold it.
int64_t PlaceOf(Interp& interpreter, const List& list, const Value& item) {
  for (size_t i = 0; i < list.items.size(); ++i) {
    if (Equal(interpreter.heap(), list.items[i], item)) return static_cast<int64_t>(i);
  }
  return -1;
}

Value IndexOf(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "index", {"item"}, 1);
  const int64_t place = PlaceOf(interpreter, *self.list(), bound.Get(0));
  if (place < 0) Fail("index(): the list has no such item");
  return Value(place, self.list()->origin);
}

Value Remove(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "remove", {"item"}, 1);
  List& list = Mutable(self);
  const int64_t place = PlaceOf(interpreter, list, bound.Get(0));
  if (place < 0) Fail("remove(): the list has no such item");
  interpreter.heap().Scan(list.items.size() * sizeof(Value));
  list.items.erase(list.items.begin() + place);
  return Value(None{});
}

Value CountOf(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "count", {"item"}, 1);
  int64_t count = 0;
  for (const Value& item : self.list()->items) {
    count += Equal(interpreter.heap(), item, bound.Get(0)) ? 1 : 0;
  }
  return Value(count, self.list()->origin);
}

Value ReverseList(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "reverse", {});
  List& list = Mutable(self);
  interpreter.heap().Scan(list.items.size() * sizeof(Value));
  std::reverse(list.items.begin(), list.items.end());
  return Value(None{});
}

Value ClearList(Interp&, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "clear", {});
  Mutable(self).items.clear();
  return Value(None{});
}

Value CopyList(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "copy", {});
  List* copy = interpreter.heap().NewList(self.list()->origin);
  copy->items = Iterate(interpreter.heap(), self);
  return Value(copy);
}

Value Get(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "get", {"key", "default"}, 1);
  const Value& key = bound.Get(0);
  interpreter.heap().Scan(key.text() == nullptr ? 0 : key.text()->size());
  if (const Value* found = self.dict()->Find(key)) return *found;
  return bound.Has(1) ? bound.Get(1) : Value(None{});
}

Value DictItems(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "items", {});
  Heap& heap = interpreter.heap();
  List* items = heap.NewList(self.dict()->origin);
  for (const auto& [key, value] : self.dict()->entries()) {
    List* pair = heap.NewTuple(self.dict()->origin);
    heap.Append(*pair, key);
    heap.Append(*pair, value);
    heap.Append(*items, Value(pair));
  }
  return Value(items);
}

Value Keys(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "keys", {});
  List* keys = interpreter.heap().NewList(self.dict()->origin);
  for (const auto& [key, value] : self.dict()->entries()) interpreter.heap().Append(*keys, key);
  return Value(keys);
}

Value Values(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "values", {});
  List* values = interpreter.heap().NewList(self.dict()->origin);
  for (const auto& [key, value] : self.dict()->entries()) {
    interpreter.heap().Append(*values, value);
  }
  return Value(values);
}

// Puts the entries of another dict and the keyword arguments into `dict`.
void Merge(Interp& interpreter, Dict& dict, const Args& arguments) {
  if (arguments.positional.size() > 1) Fail("update() takes one dict");
  if (!arguments.positional.empty()) {
    RequireDefined(arguments.positional[0]);
    const Dict* other = arguments.positional[0].dict();
    if (other == nullptr) Fail("update() takes a dict");
    interpreter.heap().ChargeItems(2 * other->entries().size());
    // The entries are copied because `other` may be `dict` itself.
    const std::vector<Dict::Entry> entries = other->entries();
    for (const auto& [key, value] : entries) interpreter.heap().Set(dict, key, value);
  }
  for (const auto& [name, value] : arguments.keyword) interpreter.heap().Set(dict, name, value);
}

Value Update(Interp& interpreter, const Value& self, const Args& arguments) {
  Merge(interpreter, *self.dict(), arguments);
  return Value(None{});
}

Value PopKey(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "pop", {"key", "default"}, 1);
  Dict& dict = *self.dict();
  const Value* found = dict.Find(bound.Get(0));
  if (found == nullptr) {
    if (!bound.Has(1)) Fail("pop(): the dict has no such key");
    return bound.Get(1);
  }
  interpreter.heap().Scan(dict.entries().size() * sizeof(Dict::Entry));
  Value value = *found;
  dict.Erase(bound.Get(0));
  return value;
}

Value SetDefault(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "setdefault", {"key", "default"}, 1);
  if (const Value* found = self.dict()->Find(bound.Get(0))) return *found;
  Value value = bound.Has(1) ? bound.Get(1) : Value(None{});
  interpreter.heap().Set(*self.dict(), bound.Get(0), value);
  return value;
}

Value ClearDict(Interp&, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "clear", {});
  self.dict()->Clear();
  return Value(None{});
}

Value CopyDict(Interp& interpreter, const Value& self, const Args& arguments) {
  const Bound bound(arguments, "copy", {});
  Dict* copy = interpreter.heap().NewDict(self.dict()->origin);
  for (const auto& [key, value] : self.dict()->entries()) interpreter.heap().Set(*copy, key, value);
  return Value(copy);
}

Value Cycle(Interp&, const Value& self, const Args& arguments) {
  if (arguments.positional.empty()) Fail("cycle() needs values");
  const auto count = static_cast<int64_t>(arguments.positional.size());
  return arguments.positional[static_cast<size_t>(self.As<Loop*>()->index0 % count)];
}

Value Changed(Interp& interpreter, const Value& self, const Args& arguments) {
  List* now = interpreter.heap().NewTuple(Origin::kTemplate);
  for (const Value& value : arguments.positional) interpreter.heap().Append(*now, value);
  Loop& loop = *self.As<Loop*>();
  const bool changed = !Equal(interpreter.heap(), loop.changed, Value(now));
  loop.changed = Value(now);
  return Value(changed);
}

using Table = std::unordered_map<std::string_view, Function>;

Function FindIn(const Table& table, std::string_view name) {
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace

Function FindListMethod(std::string_view name) {
  static const Table kMethods = {
      {"append", Append}, {"extend", Extend},   {"insert", Insert}, {"pop", PopItem},
      {"index", IndexOf}, {"remove", Remove},   {"count", CountOf}, {"reverse", ReverseList},
      {"copy", CopyList}, {"clear", ClearList},
  };
  return FindIn(kMethods, name);
}

Function FindDictMethod(std::string_view name) {
  static const Table kMethods = {
      {"get", Get},       {"items", DictItems}, {"keys", Keys},
      {"values", Values}, {"update", Update},   {"setdefault", SetDefault},
      {"copy", CopyDict}, {"clear", ClearDict}, {"pop", PopKey},
  };
  return FindIn(kMethods, name);
}

Function FindLoopMethod(std::string_view name) {
  static const Table kMethods = {{"cycle", Cycle}, {"changed", Changed}};
  return FindIn(kMethods, name);
}

}  // namespace tome::jinja
