// Origins (tome/text/marked_text.h): a text has a mark on every byte, a scalar has the mark of its
// printed text, and a list or dict has the mark of the brackets and commas of its printed form.
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
  // The name that was not found, for the error where the value is used. May be empty.
  std::string name;
};
struct None {};

struct Value {
  std::variant<Undefined, None, bool, int64_t, double, Text, List*, Dict*, Namespace*, Callable*,
               Loop*>
      data;
  Origin mark = Origin::kTemplate;  // holds for none, bool, int and float only

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
  // Returns the text; null where the value is of another kind.
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

// A dict in order of insertion. Keys are compared as in Python: 1, 1.0 and True are the same key.
class Dict {
 public:
  explicit Dict(Origin where) : origin(where) {}

  using Entry = std::pair<Value, Value>;

  const Value* Find(const Value& key) const;      // throws for a value that cannot be a key
  const Value* Find(std::string_view key) const;  // the text of the key
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

// Jinja's namespace(), whose attributes can be assigned inside loops.
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
  const std::vector<Value>* items = nullptr;  // owned by the loop; null once it has ended
  int64_t index0 = 0;
  int64_t length = 0;
  Value previous;
  Value next;
  Value changed;  // the latest arguments of loop.changed()
};

// Returns Python's name of the type ("str", "int", "NoneType", …), for messages.
std::string_view TypeName(const Value& value);

// Returns the origin of a result made from this value's text or number: for a text kContent where a
// part of it is content, else the value's own origin.
Origin OriginOf(const Value& value);

// Returns Python's truth: empty texts, lists and dicts, zero, none and undefined are false.
bool Truthy(const Value& value);

// Returns a text that is equal for values that are the same key of a dict. Throws
// Error(kInvalidArgument) for values that cannot be keys (lists, dicts), Error(kOutOfMemory) for
// tuples past the limits.
std::string HashKey(const Value& value);

}  // namespace tome::jinja
