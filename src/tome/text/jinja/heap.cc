#include "tome/text/jinja/heap.h"

#include <fmt/format.h>

#include <utility>

#include "tome/text/jinja/failure.h"

namespace tome::jinja {
namespace {

// Cost of a dict entry without its texts: two values, a key with its hash, a node.
constexpr uint64_t kEntryBytes = 2 * sizeof(Value) + 96;
// Cost of a list, dict, namespace or callable with its allocations.
constexpr uint64_t kObjectBytes = 128;

}  // namespace

void Heap::Step(uint64_t count) {
  if (count > limits_.steps - steps_) {
    FailLimit(fmt::format("the template takes more than {} steps", limits_.steps));
  }
  steps_ += count;
}

void Heap::Charge(uint64_t bytes) {
  if (bytes > limits_.bytes - bytes_) {
    FailLimit(fmt::format("the template makes more than {} bytes of values", limits_.bytes));
  }
  bytes_ += bytes;
}

void Heap::ChargeItems(uint64_t count) {
  Charge(count > limits_.bytes / sizeof(Value) ? limits_.bytes + 1 : count * sizeof(Value));
}

Value Heap::NewText(MarkedText text) {
  Charge(text.size() + text.runs().size() * sizeof(MarkedText::Run) + sizeof(MarkedText));
  return Value(std::make_shared<const MarkedText>(std::move(text)));
}

Value Heap::NewText(std::string_view text, Origin origin) {
  return NewText(MarkedText(std::string(text), origin));
}

List* Heap::NewList(Origin origin) {
  Charge(kObjectBytes);
  List& list = lists_.emplace_back();
  list.origin = origin;
  return &list;
}

List* Heap::NewTuple(Origin origin) {
  List* list = NewList(origin);
  list->is_tuple = true;
  return list;
}

Dict* Heap::NewDict(Origin origin) {
  Charge(kObjectBytes);
  return &dicts_.emplace_back(origin);
}

Namespace* Heap::NewNamespace() {
  Charge(kObjectBytes);
  return &namespaces_.emplace_back();
}

Loop* Heap::NewLoop() {
  Charge(sizeof(Loop));
  return &loops_.emplace_back();
}

Value Heap::NewCallable(std::string name, std::function<Value(Interpreter&, Arguments&)> call) {
  Charge(kObjectBytes);
  return Value(&callables_.emplace_back(Callable{std::move(name), std::move(call)}));
}

void Heap::Append(List& list, Value value) {
  ChargeItems(1);
  list.items.push_back(std::move(value));
}

void Heap::Set(Dict& dict, const Value& key, Value value) {
  Charge(kEntryBytes + (key.text() == nullptr ? 0 : key.text()->size()));
  dict.Set(key, std::move(value));
}

void Heap::Set(Dict& dict, std::string_view key, Value value) {
  Set(dict, NewText(key, Origin::kTemplate), std::move(value));
}

}  // namespace tome::jinja
