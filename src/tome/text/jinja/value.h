// The values of a template: what Jinja's values are in Python, as far as chat templates use them.
//
// A Value is small and copied freely. Texts are immutable and shared. Lists, dicts, namespaces and
// callables have identity, as in Python; they belong to the Heap of one rendering, a Value only
// points at them. So cycles need no collector and destruction no recursion.
//
// Origins (tome/text/marked_text.h): a text has a mark on every byte, a scalar one for the text it
// will be printed as, a list or dict one for the brackets and commas of its printed form.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "tome/text/marked_text.h"

namespace tome::jinja {

struct List;
class Dict;
struct Namespace;
struct Callable;
struct Loop;

using Text = std::shared_ptr<const MarkedText>;

struct Undefined {
  std::string name;  // what was looked for, for the error of the one who uses it; may be empty
};
struct None {};

struct Value {
  std::variant<Undefined, None, bool, int64_t, double, Text, List*, Dict*, Namespace*, Callable*,
               Loop*>
      data;
  Origin mark = Origin::kTemplate;  // of none, bool, int and float only

  Value() = default;
  Value(Undefined undefined) : data(std::move(undefined)) {}  // NOLINT(google-explicit-constructor)
  explicit Value(None none, Origin origin = Origin::kTemplate) : data(none), mark(origin) {}
  explicit Value(bool value, Origin origin = Origin::kTemplate) : data(value), mark(origin) {}
  explicit Value(int64_t value, Origin origin = Origin::kTemplate) : data(value), mark(origin) {}
  explicit Value(double value, Origin origin = Origin::kTemplate) : data(value), mark(origin) {}
  explicit Value(Text text) : data(std::move(text)) {}
  explicit Value(List* list) : data(list) {}
  explicit Value(Dict* dict) : data(dict) {}
  explicit Value(Namespace* names) : data(names) {}
  explicit Value(Callable* callable) : data(callable) {}
  explicit Value(Loop* loop) : data(loop) {}

  template <typename T>
  bool Is() const {
    return std::holds_alternative<T>(data);
  }
  template <typename T>
  const T& As() const {
    return std::get<T>(data);
  }
  // Nothing, where it is another kind.
  const MarkedText* text() const {
    const Text* text = std::get_if<Text>(&data);
    return text == nullptr ? nullptr : text->get();
  }
  List* list() const { return Pointer<List>(); }
  Dict* dict() const { return Pointer<Dict>(); }
  bool IsNumber() const { return Is<int64_t>() || Is<double>() || Is<bool>(); }

 private:
  template <typename T>
  T* Pointer() const {
    T* const* pointer = std::get_if<T*>(&data);
    return pointer == nullptr ? nullptr : *pointer;
  }
};

// A list or a tuple.
struct List {
  std::vector<Value> items;
  bool is_tuple = false;
  Origin origin = Origin::kTemplate;
};

// A dict in order of insertion. Keys as in Python: 1, 1.0 and True are the same key.
class Dict {
 public:
  explicit Dict(Origin where) : origin(where) {}

  using Entry = std::pair<Value, Value>;

  const Value* Find(const Value& key) const;      // throws on a key that cannot be one
  const Value* Find(std::string_view key) const;  // a text
  void Set(const Value& key, Value value);
  void Erase(const Value& key);  // O(n)
  void Clear();
  const std::vector<Entry>& entries() const { return entries_; }

  Origin origin;

 private:
  const Value* FindHash(const std::string& hash) const;

  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;
};

// Jinja's namespace(): attributes that assignments inside loops can change.
struct Namespace {
  Dict attributes{Origin::kTemplate};
};

class Interpreter;
struct Arguments;

// A macro, a global function, a caller block or a method with its object.
struct Callable {
  std::string name;
  std::function<Value(Interpreter&, Arguments&)> call;
};

// The variable `loop`.
struct Loop {
  const std::vector<Value>* items = nullptr;  // lives as long as the loop runs
  int64_t index0 = 0;
  int64_t length = 0;
  Value previous;
  Value next;
  Value changed;  // the last arguments of loop.changed()
};

// "str", "int", "NoneType", …: Python's names, for messages.
std::string_view TypeName(const Value& value);

// The origin of whatever is made from this value's text or number: of a list or dict its own, of
// others kContent only if they hold content.
Origin OriginOf(const Value& value);

// Python's truth: empty things, zero, none and undefined are false.
bool Truthy(const Value& value);

// A text that is equal for values that are the same key of a dict. Throws on lists and dicts.
std::string HashKey(const Value& value);

}  // namespace tome::jinja
