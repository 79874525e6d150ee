#include "tome/text/jinja/value.h"

#include <fmt/format.h>

#include <cmath>

#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/limits.h"

namespace tome::jinja {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// Returns the text of a double as a key; 1.0 gives the key of 1.
std::string FloatKey(double number) {
  if (std::abs(number) < 9e15 && number == std::floor(number)) {
    return fmt::format("i{}", static_cast<int64_t>(number));
  }
  return fmt::format("f{}", number);
}

std::string HashKey(const Value& value, int depth) {
  if (depth > kMaxValueDepth) {
    FailLimit(fmt::format("tuples nested deeper than {} levels", kMaxValueDepth));
  }
  if (value.Is<None>()) return "n";
  if (value.Is<Undefined>()) return "u";
  if (value.Is<bool>()) return value.As<bool>() ? "i1" : "i0";
  if (value.Is<int64_t>()) return fmt::format("i{}", value.As<int64_t>());
  if (value.Is<double>()) return FloatKey(value.As<double>());
  if (const MarkedText* text = value.text()) return "s" + text->text();
  const List* list = value.list();
  if (list == nullptr || !list->is_tuple) {
    Fail(fmt::format("a {} cannot be a key of a dict", TypeName(value)));
  }
  std::string key = "t";
  for (const Value& item : list->items) {
    const std::string part = HashKey(item, depth + 1);
    key += fmt::format("{}:{}", part.size(), part);
    // A tuple may stand in another many times, so the key can be far longer than the values.
    if (key.size() > kMaxKeyBytes) {
      FailLimit(fmt::format("a tuple as key of more than {} bytes", kMaxKeyBytes));
    }
  }
  return key;
}

}  // namespace

std::string HashKey(const Value& value) { return HashKey(value, 0); }

const Value* Dict::FindHash(const std::string& hash) const {
  const auto found = index_.find(hash);
  return found == index_.end() ? nullptr : &entries_[found->second].second;
}

const Value* Dict::Find(const Value& key) const { return FindHash(HashKey(key)); }

const Value* Dict::Find(std::string_view key) const { return FindHash("s" + std::string(key)); }

void Dict::Set(const Value& key, Value value) {
  const auto [place, is_new] = index_.try_emplace(HashKey(key), entries_.size());
  if (is_new) {
    entries_.emplace_back(key, std::move(value));
  } else {
    entries_[place->second].second = std::move(value);
  }
}

void Dict::Erase(const Value& key) {
  const auto found = index_.find(HashKey(key));
  if (found == index_.end()) return;
  const size_t place = found->second;
  index_.erase(found);
  entries_.erase(entries_.begin() + static_cast<int64_t>(place));
  for (auto& [hash, index] : index_) {
    if (index > place) --index;
  }
}

void Dict::Clear() {
  entries_.clear();
  index_.clear();
}

std::string_view TypeName(const Value& value) {
  return std::visit(
      Overloaded{
          [](const Undefined&) { return "Undefined"; }, [](const None&) { return "NoneType"; },
          [](bool) { return "bool"; }, [](int64_t) { return "int"; },
          [](double) { return "float"; }, [](const Text&) { return "str"; },
          [](const List* list) { return list->is_tuple ? "tuple" : "list"; },
          [](const Dict*) { return "dict"; }, [](const Namespace*) { return "Namespace"; },
          [](const Callable*) { return "function"; }, [](const Loop*) { return "LoopContext"; }},
      value.data);
}

Origin OriginOf(const Value& value) {
  if (const MarkedText* text = value.text()) return text->origin();
  if (const List* list = value.list()) return list->origin;
  if (const Dict* dict = value.dict()) return dict->origin;
  return value.mark;
}

bool Truthy(const Value& value) {
  return std::visit(
      Overloaded{[](const Undefined&) { return false; }, [](const None&) { return false; },
                 [](bool truth) { return truth; }, [](int64_t number) { return number != 0; },
                 [](double number) { return number != 0; },
                 [](const Text& text) { return !text->empty(); },
                 [](const List* list) { return !list->items.empty(); },
                 [](const Dict* dict) { return !dict->entries().empty(); },
                 [](const Namespace*) { return true; }, [](const Callable*) { return true; },
                 [](const Loop*) { return true; }},
      value.data);
}

}  // namespace tome::jinja
