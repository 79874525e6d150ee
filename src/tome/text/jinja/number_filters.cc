// Filters on numbers, default, and FindFilter itself.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <unordered_map>

#include "tome/text/jinja/builtins.h"
#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/python_text.h"

namespace tome::jinja {
namespace {

using Interp = Interpreter;
using Args = Arguments;

// Returns the text without white space around it and without underscores between digits. Empty
// where an underscore stands elsewhere.
std::optional<std::string> NumberText(const MarkedText& text) {
  const Range range = Strip(text.text(), std::nullopt, Side::kBoth);
  std::string number = text.text().substr(range.begin, range.end - range.begin);
  for (size_t i = 0; i < number.size(); ++i) {
    const auto digit = [&](size_t at) {
      return at < number.size() && std::isxdigit(static_cast<unsigned char>(number[at])) != 0;
    };
    if (number[i] == '_' && (i == 0 || !digit(i - 1) || !digit(i + 1))) return std::nullopt;
  }
  std::erase(number, '_');
  return number;
}

std::optional<int64_t> ParseInt(const MarkedText& text, int base) {
  const std::optional<std::string> number = NumberText(text);
  if (!number) return std::nullopt;
  std::string_view digits = *number;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.size() > 2 && digits[0] == '0') {
    const char mark = static_cast<char>(digits[1] | 0x20);
    if ((base == 16 && mark == 'x') || (base == 8 && mark == 'o') || (base == 2 && mark == 'b')) {
      digits.remove_prefix(2);
    }
  }
  if (digits.starts_with('-')) return std::nullopt;
  const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
  int64_t value = 0;
  const char* end = signed_digits.data() + signed_digits.size();
  const auto [stop, error] = std::from_chars(signed_digits.data(), end, value, base);
  if (error == std::errc::result_out_of_range) Fail("an integer of more than 64 bits");
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<double> ParseFloat(const MarkedText& text) {
  const std::optional<std::string> number = NumberText(text);
  // strtod accepts more than Python does: hexadecimal numbers, nan(…).
  if (!number || number->empty() || number->find_first_of("xX(") != std::string::npos) {
    return std::nullopt;
  }
  char* stop = nullptr;
  const double value = std::strtod(number->c_str(), &stop);
  if (stop != number->c_str() + number->size()) return std::nullopt;
  return value;
}

std::optional<int64_t> Truncated(double number) {
  if (!(std::abs(number) < 9.2e18)) return std::nullopt;
  return static_cast<int64_t>(number);
}

Value ToInt(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "int", {"default", "base"});
  const int64_t base = bound.Int(1, 10);
  if (base < 2 || base > 36) Fail("int(): 'base' must be 2 to 36");
  RequireDefined(input);
  std::optional<int64_t> value;
  if (const MarkedText* text = input.text()) {
    interpreter.heap().Charge(text->size());
    value = ParseInt(*text, static_cast<int>(base));
    if (!value) {
      if (const std::optional<double> number = ParseFloat(*text)) value = Truncated(*number);
    }
  } else if (input.Is<double>()) {
    value = Truncated(input.As<double>());
  } else if (input.IsNumber()) {
    value = input.Is<bool>() ? (input.As<bool>() ? 1 : 0) : input.As<int64_t>();
  }
  if (value) return Value(*value, OriginOf(input));
  return bound.Has(0) ? bound.Get(0) : Value(int64_t{0});
}

Value ToFloat(Interp& interpreter, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "float", {"default"});
  RequireDefined(input);
  std::optional<double> value;
  if (const MarkedText* text = input.text()) {
    interpreter.heap().Charge(text->size());
    value = ParseFloat(*text);
  } else if (input.IsNumber()) {
    value = AsDouble(input);
  }
  if (value) return Value(*value, OriginOf(input));
  return bound.Has(0) ? bound.Get(0) : Value(0.0);
}

Value Absolute(Interp&, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "abs", {});
  RequireDefined(input);
  if (input.Is<double>()) return Value(std::abs(input.As<double>()), input.mark);
  if (!input.IsNumber()) Fail(fmt::format("abs() of a {}", TypeName(input)));
  if (input.Is<bool>()) return Value(int64_t{input.As<bool>()}, input.mark);
  return input.As<int64_t>() < 0 ? Negate(input) : input;
}

Value Round(Interp&, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "round", {"precision", "method"});
  RequireDefined(input);
  if (!input.IsNumber()) Fail(fmt::format("round() of a {}", TypeName(input)));
  const int64_t precision = bound.Int(0, 0);
  if (std::abs(precision) > kMaxFormatWidth) {
    FailLimit(fmt::format("round() to more than {} digits", kMaxFormatWidth));
  }
  const std::string method = bound.Text(1) == nullptr ? "common" : bound.Text(1)->text();
  const double number = AsDouble(input);
  if (method == "ceil" || method == "floor") {
    const double scale = std::pow(10.0, static_cast<double>(precision));
    const double scaled = number * scale;
    return Value((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale, input.mark);
  }
  if (method != "common") Fail("round(): 'method' must be common, ceil or floor");
  if (!input.Is<double>()) {
    if (precision >= 0) return input.Is<bool>() ? Value(int64_t{input.As<bool>()}) : input;
    FailUnsupported("round() of an int to tens and above");
  }
  if (!std::isfinite(number)) return input;
  if (precision < 0) {
    const double scale = std::pow(10.0, static_cast<double>(-precision));
    return Value(std::nearbyint(number / scale) * scale, input.mark);
  }
  // Python's round takes the decimal digits of the exact number, half to even.
  const std::string digits = fmt::format("{:.{}f}", number, precision);
  return Value(std::strtod(digits.c_str(), nullptr), input.mark);
}

Value Default(Interp&, const Value& input, const Args& arguments) {
  const Bound bound(arguments, "default", {"default_value", "boolean"});
  if (!input.Is<Undefined>() && (!bound.Truth(1, false) || Truthy(input))) return input;
  return bound.Has(0) ? bound.Get(0) : Value(std::make_shared<const MarkedText>());
}

}  // namespace

Function FindNumberFilter(std::string_view name) {
  static const std::unordered_map<std::string_view, Function> kFilters = {
      {"int", ToInt},   {"float", ToFloat},   {"abs", Absolute},
      {"round", Round}, {"default", Default}, {"d", Default},
  };
  const auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

Function FindFilter(std::string_view name) {
  if (const Function filter = FindTextFilter(name)) return filter;
  if (const Function filter = FindSequenceFilter(name)) return filter;
  return FindNumberFilter(name);
}

}  // namespace tome::jinja
