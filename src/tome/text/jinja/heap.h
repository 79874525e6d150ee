// Owns the objects that the values of one rendering point at, and counts the cost of the rendering
// against limits.h.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "tome/text/jinja/limits.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

class Heap {
 public:
  explicit Heap(const Limits& limits) : limits_(limits) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap() = default;

  // Step counts `count` steps, Scan the search through `bytes` of text, Charge the making of
  // `bytes`. Each throws Error(kOutOfMemory) past its limit. Call it before the work.
  void Step(uint64_t count = 1);
  void Scan(uint64_t bytes) { Step(bytes / kStepBytes + 1); }
  void Charge(uint64_t bytes);
  // Counts the bytes of `count` items of a list that is about to be made.
  void ChargeItems(uint64_t count);

  Value NewText(MarkedText text);
  Value NewText(std::string_view text, Origin origin);
  List* NewList(Origin origin);
  List* NewTuple(Origin origin);
  Dict* NewDict(Origin origin);
  Namespace* NewNamespace();
  Loop* NewLoop();
  Value NewCallable(std::string name, std::function<Value(Interpreter&, Arguments&)> call);

  void Append(List& list, Value value);
  void Set(Dict& dict, const Value& key, Value value);
  void Set(Dict& dict, std::string_view key, Value value);

  const Limits& limits() const { return limits_; }

 private:
  Limits limits_;
  uint64_t steps_ = 0;
  uint64_t bytes_ = 0;
  std::deque<List> lists_;  // a deque never moves its elements, and values point at them
  std::deque<Dict> dicts_;
  std::deque<Namespace> namespaces_;
  std::deque<Callable> callables_;
  std::deque<Loop> loops_;
};

}  // namespace tome::jinja
