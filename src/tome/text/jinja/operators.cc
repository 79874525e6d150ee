#include "tome/text/jinja/operators.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/formatting.h"
#include "tome/text/jinja/python_text.h"

namespace tome::jinja {
namespace {

constexpr std::string_view kSigns[] = {"+", "-", "*", "/", "//", "%", "**"};

[[noreturn]] void FailKinds(Operator op, const Value& left, const Value& right) {
  Fail(fmt::format("'{}' does not work on {} and {}", kSigns[static_cast<size_t>(op)],
                   TypeName(left), TypeName(right)));
}

int64_t AsInt(const Value& number) {
  return number.Is<bool>() ? (number.As<bool>() ? 1 : 0) : number.As<int64_t>();
}

bool IsWhole(const Value& value) { return value.Is<int64_t>() || value.Is<bool>(); }

[[noreturn]] void FailOverflow() { Fail("an integer of more than 64 bits"); }

int64_t FloorDivide(int64_t left, int64_t right) {
  if (left == INT64_MIN && right == -1) FailOverflow();
  const int64_t quotient = left / right;
  return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
}

int64_t Modulo(int64_t left, int64_t right) {
  if (right == -1) return 0;
  const int64_t rest = left % right;
  return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
}

int64_t Power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) FailOverflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) FailOverflow();
  }
  return result;
}

Value IntArithmetic(Operator op, int64_t left, int64_t right, Origin origin) {
  int64_t result = 0;
  switch (op) {
    case Operator::kAdd:
      if (__builtin_add_overflow(left, right, &result)) FailOverflow();
      return Value(result, origin);
    case Operator::kSubtract:
      if (__builtin_sub_overflow(left, right, &result)) FailOverflow();
      return Value(result, origin);
    case Operator::kMultiply:
      if (__builtin_mul_overflow(left, right, &result)) FailOverflow();
      return Value(result, origin);
    case Operator::kPower:
      if (right < 0) break;
      return Value(Power(left, right), origin);
    default:
      if (right == 0) Fail("division by zero");
      if (op == Operator::kDivide) break;
      return Value(op == Operator::kModulo ? Modulo(left, right) : FloorDivide(left, right),
                   origin);
  }
  const auto x = static_cast<double>(left);
  const auto y = static_cast<double>(right);
  if (op == Operator::kPower && left == 0) Fail("0 cannot be raised to a negative power");
  return Value(op == Operator::kDivide ? x / y : std::pow(x, y), origin);
}

Value FloatArithmetic(Operator op, double left, double right, Origin origin) {
  switch (op) {
    case Operator::kAdd:
      return Value(left + right, origin);
    case Operator::kSubtract:
      return Value(left - right, origin);
    case Operator::kMultiply:
      return Value(left * right, origin);
    case Operator::kPower: {
      if (left == 0 && right < 0) Fail("0 cannot be raised to a negative power");
      if (left < 0 && right != std::floor(right)) Fail("a root of a negative number");
      return Value(std::pow(left, right), origin);
    }
    default:
      break;
  }
  if (right == 0) Fail("division by zero");
  if (op == Operator::kDivide) return Value(left / right, origin);
  double rest = std::fmod(left, right);
  if (rest != 0 && (rest < 0) != (right < 0)) rest += right;
  if (op == Operator::kModulo) return Value(rest == 0 ? std::copysign(0.0, right) : rest, origin);
  return Value(std::floor((left - rest) / right + 0.5), origin);
}

Value Concatenate(Heap& heap, const MarkedText& left, const MarkedText& right) {
  heap.Charge(left.size() + right.size());
  MarkedText joined = left;
  joined.Append(right);
  return heap.NewText(std::move(joined));
}

// Returns a text, list or tuple repeated `count` times.
Value Repeat(Heap& heap, const Value& value, int64_t count) {
  if (count < 0) count = 0;
  const auto times = static_cast<uint64_t>(count);
  uint64_t size = 0;
  if (const MarkedText* text = value.text()) {
    const uint64_t cost = text->size() + text->runs().size() * sizeof(MarkedText::Run);
    if (text->empty()) return value;
    if (__builtin_mul_overflow(cost, times, &size)) size = UINT64_MAX;
    heap.Charge(size);
    MarkedText repeated;
    for (uint64_t i = 0; i < times; ++i) repeated.Append(*text);
    return heap.NewText(std::move(repeated));
  }
  const List& list = *value.list();
  List* repeated = heap.NewList(list.origin);
  repeated->is_tuple = list.is_tuple;
  if (list.items.empty()) return Value(repeated);
  if (__builtin_mul_overflow(list.items.size(), times, &size)) size = UINT64_MAX;
  heap.ChargeItems(size);
  for (uint64_t i = 0; i < times; ++i) {
    repeated->items.insert(repeated->items.end(), list.items.begin(), list.items.end());
  }
  return Value(repeated);
}

Value ConcatenateLists(Heap& heap, const List& left, const List& right) {
  heap.ChargeItems(left.items.size() + right.items.size());
  List* joined = heap.NewList(Combine(left.origin, right.origin));
  joined->is_tuple = left.is_tuple;
  joined->items = left.items;
  joined->items.insert(joined->items.end(), right.items.begin(), right.items.end());
  return Value(joined);
}

// Compares values to a bounded depth, because values may hold each other.
class Comparer {
 public:
  explicit Comparer(Heap& heap) : heap_(heap) {}

  bool Equal(const Value& left, const Value& right, int depth) {
    Enter(depth);
    if (left.IsNumber() && right.IsNumber()) return EqualNumbers(left, right);
    if (left.data.index() != right.data.index()) return false;
    if (const MarkedText* text = left.text()) {
      if (text->size() != right.text()->size()) return false;
      heap_.Scan(text->size());
      return text->text() == right.text()->text();
    }
    if (left.Is<None>() || left.Is<Undefined>()) return true;
    if (left.list() != nullptr) return EqualLists(*left.list(), *right.list(), depth);
    if (left.dict() != nullptr) return EqualDicts(*left.dict(), *right.dict(), depth);
    if (left.Is<Namespace*>()) return left.As<Namespace*>() == right.As<Namespace*>();
    if (left.Is<Callable*>()) return left.As<Callable*>() == right.As<Callable*>();
    return left.As<Loop*>() == right.As<Loop*>();
  }

  bool Less(const Value& left, const Value& right, int depth) {
    Enter(depth);
    if (left.IsNumber() && right.IsNumber()) {
      if (IsWhole(left) && IsWhole(right)) return AsInt(left) < AsInt(right);
      return AsDouble(left) < AsDouble(right);
    }
    if (left.text() != nullptr && right.text() != nullptr) {
      heap_.Scan(std::min(left.text()->size(), right.text()->size()));
      return left.text()->text() < right.text()->text();  // UTF-8 sorts by code point
    }
    const List* a = left.list();
    const List* b = right.list();
    if (a == nullptr || b == nullptr || a->is_tuple != b->is_tuple) {
      RequireDefined(left);
      RequireDefined(right);
      Fail(fmt::format("{} and {} have no order", TypeName(left), TypeName(right)));
    }
    for (size_t i = 0; i < a->items.size() && i < b->items.size(); ++i) {
      if (!Equal(a->items[i], b->items[i], depth + 1)) {
        return Less(a->items[i], b->items[i], depth + 1);
      }
    }
    return a->items.size() < b->items.size();
  }

 private:
  void Enter(int depth) {
    heap_.Step();
    if (depth > kMaxValueDepth) {
      FailLimit(fmt::format("compared values nested deeper than {} levels", kMaxValueDepth));
    }
  }

  static bool EqualNumbers(const Value& left, const Value& right) {
    if (IsWhole(left) && IsWhole(right)) return AsInt(left) == AsInt(right);
    return AsDouble(left) == AsDouble(right);
  }

  bool EqualLists(const List& left, const List& right, int depth) {
    if (&left == &right) return true;
    if (left.is_tuple != right.is_tuple || left.items.size() != right.items.size()) return false;
    for (size_t i = 0; i < left.items.size(); ++i) {
      if (!Equal(left.items[i], right.items[i], depth + 1)) return false;
    }
    return true;
  }

  bool EqualDicts(const Dict& left, const Dict& right, int depth) {
    if (&left == &right) return true;
    if (left.entries().size() != right.entries().size()) return false;
    for (const auto& [key, value] : left.entries()) {
      const Value* other = right.Find(key);
      if (other == nullptr || !Equal(value, *other, depth + 1)) return false;
    }
    return true;
  }

  Heap& heap_;
};

}  // namespace

void RequireDefined(const Value& value) {
  if (!value.Is<Undefined>()) return;
  const std::string& name = value.As<Undefined>().name;
  Fail(name.empty() ? "an undefined value is used" : fmt::format("'{}' is undefined", name));
}

double AsDouble(const Value& number) {
  return number.Is<double>() ? number.As<double>() : static_cast<double>(AsInt(number));
}

Value Arithmetic(Heap& heap, Operator op, const Value& left, const Value& right) {
  if (op == Operator::kModulo && left.text() != nullptr) {
    return heap.NewText(PercentFormat(heap, *left.text(), right));
  }
  RequireDefined(left);
  RequireDefined(right);
  if (left.IsNumber() && right.IsNumber()) {
    const Origin origin = Combine(left.mark, right.mark);
    if (IsWhole(left) && IsWhole(right)) {
      return IntArithmetic(op, AsInt(left), AsInt(right), origin);
    }
    return FloatArithmetic(op, AsDouble(left), AsDouble(right), origin);
  }
  if (op == Operator::kAdd) {
    if (left.text() != nullptr && right.text() != nullptr) {
      return Concatenate(heap, *left.text(), *right.text());
    }
    if (left.list() != nullptr && right.list() != nullptr &&
        left.list()->is_tuple == right.list()->is_tuple) {
      return ConcatenateLists(heap, *left.list(), *right.list());
    }
  }
  if (op == Operator::kMultiply) {
    const bool swapped = IsWhole(left);
    const Value& count = swapped ? left : right;
    const Value& value = swapped ? right : left;
    if (IsWhole(count) && (value.text() != nullptr || value.list() != nullptr)) {
      return Repeat(heap, value, AsInt(count));
    }
  }
  FailKinds(op, left, right);
}

Value Negate(const Value& operand) {
  RequireDefined(operand);
  if (operand.Is<double>()) return Value(-operand.As<double>(), operand.mark);
  if (!IsWhole(operand)) Fail(fmt::format("'-' does not work on {}", TypeName(operand)));
  if (AsInt(operand) == INT64_MIN) FailOverflow();
  return Value(-AsInt(operand), operand.mark);
}

bool Equal(Heap& heap, const Value& left, const Value& right) {
  return Comparer(heap).Equal(left, right, 0);
}

bool Less(Heap& heap, const Value& left, const Value& right) {
  return Comparer(heap).Less(left, right, 0);
}

bool Compare(Heap& heap, Comparison comparison, const Value& left, const Value& right) {
  switch (comparison) {
    case Comparison::kEqual:
      return Equal(heap, left, right);
    case Comparison::kNotEqual:
      return !Equal(heap, left, right);
    case Comparison::kLess:
      return Less(heap, left, right);
    case Comparison::kGreater:
      return Less(heap, right, left);
    case Comparison::kLessEqual:
      return Less(heap, left, right) || Equal(heap, left, right);
    case Comparison::kGreaterEqual:
      return Less(heap, right, left) || Equal(heap, left, right);
    case Comparison::kIn:
      return Contains(heap, right, left);
    case Comparison::kNotIn:
      return !Contains(heap, right, left);
  }
  return false;
}

bool Contains(Heap& heap, const Value& container, const Value& item) {
  if (const MarkedText* text = container.text()) {
    const MarkedText* needle = item.text();
    if (needle == nullptr) {
      RequireDefined(item);
      Fail(fmt::format("only a str can be in a str, not a {}", TypeName(item)));
    }
    heap.Scan(text->size());
    return FindText(text->text(), needle->text()) != std::string::npos;
  }
  if (const List* list = container.list()) {
    for (const Value& other : list->items) {
      if (Equal(heap, item, other)) return true;
    }
    return false;
  }
  if (const Dict* dict = container.dict()) {
    heap.Scan(item.text() == nullptr ? 0 : item.text()->size());
    return dict->Find(item) != nullptr;
  }
  if (container.Is<Undefined>()) return false;
  Fail(fmt::format("nothing can be in a {}", TypeName(container)));
}

}  // namespace tome::jinja
