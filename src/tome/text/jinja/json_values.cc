#include "tome/text/jinja/json_values.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/interpreter.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/printing.h"
#include "tome/text/jinja/python_text.h"
#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

Value FromJson(Heap& heap, const nlohmann::ordered_json& json, Origin origin, int depth) {
  if (depth > kMaxValueDepth) {
    FailLimit(fmt::format("JSON nested deeper than {} levels", kMaxValueDepth));
  }
  using Type = nlohmann::ordered_json::value_t;
  const auto text = [&](const std::string& utf8) {
    if (!IsValidUtf8(utf8)) Fail("a text of the messages is not UTF-8; convert it first");
    return heap.NewText(utf8, origin);
  };
  switch (json.type()) {
    case Type::boolean:
      return Value(json.get<bool>(), origin);
    case Type::number_integer:
      return Value(json.get<int64_t>(), origin);
    case Type::number_unsigned:
      if (json.get<uint64_t>() > INT64_MAX) {
        Fail(fmt::format("the integer {} has more than 64 bits; write it as a text",
                         json.get<uint64_t>()));
      }
      return Value(json.get<int64_t>(), origin);
    case Type::number_float:
      return Value(json.get<double>(), origin);
    case Type::string:
      return text(json.get_ref<const std::string&>());
    case Type::array: {
      List* list = heap.NewList(origin);
      for (const auto& item : json) heap.Append(*list, FromJson(heap, item, origin, depth + 1));
      return Value(list);
    }
    case Type::object: {
      Dict* dict = heap.NewDict(origin);
      for (const auto& [key, item] : json.items()) {
        heap.Set(*dict, text(key), FromJson(heap, item, origin, depth + 1));
      }
      return Value(dict);
    }
    default:
      return Value(None{}, origin);
  }
}

struct JsonStyle {
  std::optional<MarkedText> indent;
  MarkedText item_separator{", ", Origin::kTemplate};
  MarkedText key_separator{": ", Origin::kTemplate};
  JsonText characters = JsonText::kUnicode;
  bool sort_keys = false;
};

class JsonWriter {
 public:
  JsonWriter(Heap& heap, const JsonStyle& style) : heap_(heap), style_(style) {}

  MarkedText Write(const Value& value) {
    Append(value, 0, Origin::kTemplate);
    return std::move(out_);
  }

 private:
  // `around` is the origin of the list or dict that holds the value.
  void Append(const Value& value, int depth, Origin around) {
    heap_.Step();
    if (depth > kMaxValueDepth) {
      FailLimit(fmt::format("values nested deeper than {} levels", kMaxValueDepth));
    }
    if (const MarkedText* text = value.text()) {
      Charge(2 * text->size());
      AppendJsonText(*text, style_.characters, Combine(text->origin(), around), out_);
    } else if (const List* list = value.list()) {
      AppendList(*list, depth);
    } else if (const Dict* dict = value.dict()) {
      AppendDict(*dict, depth);
    } else {
      const std::string scalar = Scalar(value);
      Charge(scalar.size());
      out_.Append(scalar, value.mark);
    }
  }

  void Charge(size_t bytes) { heap_.Charge(bytes + sizeof(MarkedText::Run)); }

  static std::string Scalar(const Value& value) {
    if (value.Is<None>()) return "null";
    if (value.Is<bool>()) return value.As<bool>() ? "true" : "false";
    if (value.Is<int64_t>()) return fmt::format("{}", value.As<int64_t>());
    if (value.Is<double>()) {
      const double number = value.As<double>();
      if (std::isnan(number)) return "NaN";
      if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
      return FloatText(number);
    }
    Fail(fmt::format("a {} has no form in JSON", TypeName(value)));
  }

  // Writes a separator between two items and, with an indent, a new line. The text is the
  // separator's; the mark is the container's, unless the separator's text is content.
  void Separate(const MarkedText* separator, int depth, Origin origin) {
    if (separator != nullptr) AppendAs(*separator, origin);
    if (!style_.indent) return;
    Charge(static_cast<size_t>(depth) * style_.indent->size());
    out_.Append("\n", origin);
    for (int i = 0; i < depth; ++i) AppendAs(*style_.indent, origin);
  }
  void AppendAs(const MarkedText& text, Origin origin) {
    Charge(text.size());
    out_.Append(text.text(), Combine(text.origin(), origin));
  }

  void AppendList(const List& list, int depth) {
    out_.Append("[", list.origin);
    bool first = true;
    for (const Value& item : list.items) {
      Separate(first ? nullptr : &style_.item_separator, depth + 1, list.origin);
      first = false;
      Append(item, depth + 1, list.origin);
    }
    if (!first) Separate(nullptr, depth, list.origin);
    out_.Append("]", list.origin);
  }

  void AppendDict(const Dict& dict, int depth) {
    std::vector<const Dict::Entry*> entries;
    heap_.Charge(dict.entries().size() * sizeof(void*));
    for (const Dict::Entry& entry : dict.entries()) entries.push_back(&entry);
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(), [this](const auto* a, const auto* b) {
        return Less(heap_, a->first, b->first);
      });
    }
    out_.Append("{", dict.origin);
    bool first = true;
    for (const Dict::Entry* entry : entries) {
      Separate(first ? nullptr : &style_.item_separator, depth + 1, dict.origin);
      first = false;
      AppendKey(entry->first, dict.origin);
      AppendAs(style_.key_separator, dict.origin);
      Append(entry->second, depth + 1, dict.origin);
    }
    if (!first) Separate(nullptr, depth, dict.origin);
    out_.Append("}", dict.origin);
  }

  void AppendKey(const Value& key, Origin origin) {
    if (key.text() != nullptr) return Append(key, 0, origin);
    if (key.list() != nullptr) Fail("a tuple cannot be a key in JSON");
    const std::string scalar = Scalar(key);
    Charge(scalar.size());
    out_.Append("\"" + scalar + "\"", Combine(key.mark, origin));
  }

  Heap& heap_;
  const JsonStyle& style_;
  MarkedText out_;
};

}  // namespace

Value FromJson(Heap& heap, const nlohmann::ordered_json& json, Origin origin) {
  return FromJson(heap, json, origin, 0);
}

Value ToJsonFilter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound(arguments, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  if (bound.Truth(0, false)) style.characters = JsonText::kAscii;
  style.sort_keys = bound.Truth(3, false);
  const Value& indent = bound.Get(1);
  if (indent.text() != nullptr) {
    style.indent = *indent.text();
  } else if (bound.Has(1) && !indent.Is<None>()) {
    const int64_t width = std::clamp<int64_t>(bound.Int(1, 0), 0, kMaxFormatWidth);
    style.indent = MarkedText(std::string(static_cast<size_t>(width), ' '), Origin::kTemplate);
  }
  if (style.indent) style.item_separator = MarkedText(",", Origin::kTemplate);
  if (const List* separators = bound.Get(2).list()) {
    if (separators->items.size() != 2 || separators->items[0].text() == nullptr ||
        separators->items[1].text() == nullptr) {
      Fail("tojson(): 'separators' must be two texts");
    }
    style.item_separator = *separators->items[0].text();
    style.key_separator = *separators->items[1].text();
  }
  return interpreter.heap().NewText(JsonWriter(interpreter.heap(), style).Write(input));
}

}  // namespace tome::jinja
