#include "tome/text/jinja/printing.h"

#include <fmt/format.h>

#include <memory>

#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/python_text.h"

namespace tome::jinja {
namespace {

class Printer {
 public:
  Printer(Heap& heap, MarkedText& out) : heap_(heap), out_(out) {}

  // `around` is the origin of the list or dict that holds the value.
  void Print(const Value& value, int depth, Origin around) {
    heap_.Step();
    if (depth > kMaxValueDepth) {
      FailLimit(fmt::format("values nested deeper than {} levels", kMaxValueDepth));
    }
    if (const MarkedText* text = value.text()) {
      Charge(text->size());
      AppendRepr(*text, Combine(text->origin(), around), out_);
    } else if (const List* list = value.list()) {
      PrintList(*list, depth);
    } else if (const Dict* dict = value.dict()) {
      PrintDict(*dict, depth);
    } else {
      const std::string scalar = Scalar(value);
      Charge(scalar.size());
      out_.Append(scalar, value.mark);
    }
  }

  static std::string Scalar(const Value& value) {
    if (value.Is<None>()) return "None";
    if (value.Is<bool>()) return value.As<bool>() ? "True" : "False";
    if (value.Is<int64_t>()) return fmt::format("{}", value.As<int64_t>());
    if (value.Is<double>()) return FloatText(value.As<double>());
    if (value.Is<Undefined>()) return "Undefined";
    return fmt::format("<{}>", TypeName(value));
  }

 private:
  // Charges each part as it is written. An item can stand in many lists, so nothing else bounds the
  // printed form.
  void Charge(size_t bytes) { heap_.Charge(bytes + sizeof(MarkedText::Run)); }

  void PrintList(const List& list, int depth) {
    out_.Append(list.is_tuple ? "(" : "[", list.origin);
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_.Append(", ", list.origin);
      Print(list.items[i], depth + 1, list.origin);
    }
    if (list.is_tuple && list.items.size() == 1) out_.Append(",", list.origin);
    out_.Append(list.is_tuple ? ")" : "]", list.origin);
  }

  void PrintDict(const Dict& dict, int depth) {
    out_.Append("{", dict.origin);
    bool first = true;
    for (const auto& [key, value] : dict.entries()) {
      if (!first) out_.Append(", ", dict.origin);
      first = false;
      Print(key, depth + 1, dict.origin);
      out_.Append(": ", dict.origin);
      Print(value, depth + 1, dict.origin);
    }
    out_.Append("}", dict.origin);
  }

  Heap& heap_;
  MarkedText& out_;
};

}  // namespace

std::string FloatText(double number) {
  std::string text = fmt::format("{}", number);
  // A whole number keeps the point that shows it to be a float.
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

MarkedText Repr(Heap& heap, const Value& value) {
  MarkedText out;
  Printer(heap, out).Print(value, 0, Origin::kTemplate);
  return out;
}

Text ToText(Heap& heap, const Value& value) {
  if (value.Is<Text>()) return value.As<Text>();
  if (value.Is<Undefined>()) return std::make_shared<const MarkedText>();
  if (value.list() != nullptr || value.dict() != nullptr) {
    return std::make_shared<const MarkedText>(Repr(heap, value));
  }
  return std::make_shared<const MarkedText>(Printer::Scalar(value), value.mark);
}

}  // namespace tome::jinja
