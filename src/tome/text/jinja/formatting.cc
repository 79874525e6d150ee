#include "tome/text/jinja/formatting.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/printing.h"
#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

struct Specification {
  bool left = false;
  bool plus = false;
  bool space = false;
  bool zero = false;
  bool alternate = false;
  bool center = false;
  std::string fill = " ";
  int width = 0;
  int precision = -1;
  char type = 's';
};

int ParseNumber(std::string_view text, size_t& at) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  if (error == std::errc::invalid_argument) return 0;
  if (error != std::errc() || value > kMaxFormatWidth) {
    FailLimit(fmt::format("a format of more than {} characters", kMaxFormatWidth));
  }
  at = static_cast<size_t>(end - text.data());
  return value;
}

void AppendPadded(const MarkedText& text, const Specification& spec, Origin padding,
                  MarkedText& out) {
  const auto length = static_cast<int64_t>(CountCodePoints(text.text()));
  const int64_t missing = std::max<int64_t>(0, spec.width - length);
  const int64_t before = spec.left ? 0 : spec.center ? missing / 2 : missing;
  for (int64_t i = 0; i < before; ++i) out.Append(spec.fill, padding);
  out.Append(text);
  for (int64_t i = before; i < missing; ++i) out.Append(spec.fill, padding);
}

std::string FormatFloat(double number, const Specification& spec) {
  const int precision = spec.precision < 0 ? 6 : spec.precision;
  switch (spec.type) {
    case 'e':
      return fmt::format("{:.{}e}", number, precision);
    case 'E':
      return fmt::format("{:.{}E}", number, precision);
    case 'g':
      return fmt::format("{:.{}g}", number, precision);
    case 'G':
      return fmt::format("{:.{}G}", number, precision);
    default:
      return fmt::format("{:.{}f}", number, precision);
  }
}

std::string FormatWhole(const Value& value, const Specification& spec) {
  int64_t number = 0;
  if (value.Is<double>()) {
    const double whole = std::trunc(value.As<double>());
    if (!(std::abs(whole) < 9.2e18)) Fail("a float that is no 64-bit integer");
    number = static_cast<int64_t>(whole);
  } else {
    number = value.Is<bool>() ? (value.As<bool>() ? 1 : 0) : value.As<int64_t>();
  }
  const char* prefix = !spec.alternate    ? ""
                       : spec.type == 'o' ? "0o"
                       : spec.type == 'x' ? "0x"
                       : spec.type == 'X' ? "0X"
                                          : "";
  const uint64_t magnitude =
      number < 0 ? uint64_t{0} - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  const std::string digits = spec.type == 'x'   ? fmt::format("{:x}", magnitude)
                             : spec.type == 'X' ? fmt::format("{:X}", magnitude)
                             : spec.type == 'o' ? fmt::format("{:o}", magnitude)
                                                : fmt::format("{}", magnitude);
  return fmt::format("{}{}{}", number < 0 ? "-" : "", prefix, digits);
}

bool IsFloatType(char type) {
  return std::string_view("eEfFgG").find(type) != std::string_view::npos;
}

void AppendNumber(const Value& value, Specification spec, MarkedText& out) {
  if (!value.IsNumber()) {
    RequireDefined(value);
    Fail(fmt::format("'%{}' needs a number, not a {}", spec.type, TypeName(value)));
  }
  std::string text =
      IsFloatType(spec.type) ? FormatFloat(AsDouble(value), spec) : FormatWhole(value, spec);
  if (!text.starts_with('-')) {
    if (spec.plus) text.insert(0, "+");
    if (!spec.plus && spec.space) text.insert(0, " ");
  }
  if (spec.zero && !spec.left && !spec.center) {
    const size_t sign = text.find_first_of("0123456789in");
    const auto width = static_cast<size_t>(spec.width);
    if (text.size() < width) text.insert(sign, width - text.size(), '0');
  }
  AppendPadded(MarkedText(std::move(text), value.mark), spec, Origin::kTemplate, out);
}

void AppendText(Heap& heap, MarkedText text, const Specification& spec, MarkedText& out) {
  if (spec.precision >= 0) {
    uint64_t end = 0;
    for (int i = 0; i < spec.precision && end < text.size(); ++i) NextCodePoint(text.text(), end);
    text = text.Slice(0, end);
  }
  heap.Charge(text.size());
  AppendPadded(text, spec, Origin::kTemplate, out);
}

// Supplies the values of a "%" format in order or by name.
class Supply {
 public:
  explicit Supply(const Value& values) : values_(values) {
    const List* list = values.list();
    tuple_ = list != nullptr && list->is_tuple ? list : nullptr;
  }

  Value Next() {
    if (tuple_ != nullptr && next_ < tuple_->items.size()) return tuple_->items[next_++];
    if (tuple_ == nullptr && next_++ == 0) return values_;
    Fail("too few values for the format");
  }
  Value Named(std::string_view key) {
    named_ = true;
    const Dict* dict = values_.dict();
    if (dict == nullptr) Fail("a format with names needs a dict");
    const Value* value = dict->Find(key);
    if (value == nullptr) Fail(fmt::format("no value '{}' for the format", key));
    return *value;
  }
  void RequireEmpty() const {
    const bool all = tuple_ != nullptr ? next_ == tuple_->items.size()
                                       : next_ > 0 || named_ || values_.dict() != nullptr;
    if (!all) Fail("not all values are used by the format");
  }

 private:
  const Value& values_;
  const List* tuple_;
  size_t next_ = 0;
  bool named_ = false;
};

}  // namespace

MarkedText PercentFormat(Heap& heap, const MarkedText& format, const Value& values) {
  const std::string_view text = format.text();
  Supply supply(values);
  MarkedText out;
  size_t at = 0;
  heap.Charge(text.size());
  while (at < text.size()) {
    const size_t percent = std::min(text.find('%', at), text.size());
    out.Append(format, at, percent);
    if (percent == text.size()) break;
    heap.Step();
    at = percent + 1;
    std::optional<std::string_view> key;
    if (text.substr(at).starts_with('(')) {
      const size_t end = text.find(')', at);
      if (end == std::string_view::npos) Fail("a format with '(' without ')'");
      key = text.substr(at + 1, end - at - 1);
      at = end + 1;
    }
    Specification spec;
    for (; at < text.size(); ++at) {
      if (text[at] == '-') {
        spec.left = true;
      } else if (text[at] == '+') {
        spec.plus = true;
      } else if (text[at] == ' ') {
        spec.space = true;
      } else if (text[at] == '0') {
        spec.zero = true;
      } else if (text[at] == '#') {
        spec.alternate = true;
      } else {
        break;
      }
    }
    spec.width = ParseNumber(text, at);
    if (at < text.size() && text[at] == '.') spec.precision = ParseNumber(text, ++at);
    if (at == text.size()) Fail("a format that ends with '%'");
    spec.type = text[at++];
    if (spec.type == '%') {
      out.Append(format, at - 1, at);
      continue;
    }
    const Value value = key ? supply.Named(*key) : supply.Next();
    switch (spec.type) {
      case 's':
        AppendText(heap, *ToText(heap, value), spec, out);
        break;
      case 'r':
      case 'a':
        AppendText(heap, Repr(heap, value), spec, out);
        break;
      case 'c':
        if (value.text() == nullptr) FailUnsupported("'%c' of a number");
        AppendText(heap, *value.text(), spec, out);
        break;
      case 'i':
      case 'u':
        spec.type = 'd';
        [[fallthrough]];
      case 'd':
      case 'x':
      case 'X':
      case 'o':
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        AppendNumber(value, spec, out);
        break;
      default:
        Fail(fmt::format("unknown format '%{}'", spec.type));
    }
  }
  supply.RequireEmpty();
  return out;
}

namespace {

// Reads the specification between ':' and '}'. Without an alignment, numbers are aligned to the
// right and texts to the left.
Specification BraceSpecification(std::string_view text, bool is_number) {
  Specification spec;
  spec.left = !is_number;
  size_t at = 0;
  const auto align = [&](char c) {
    spec.left = c == '<';
    spec.center = c == '^';
  };
  const auto is_align = [](char c) { return c == '<' || c == '>' || c == '^'; };
  if (text.empty()) return spec;
  uint64_t fill = 0;
  NextCodePoint(text, fill);
  if (fill < text.size() && is_align(text[fill])) {
    spec.fill = text.substr(0, fill);
    align(text[fill]);
    at = fill + 1;
  } else if (is_align(text[0])) {
    align(text[at++]);
  }
  if (at < text.size() && text[at] == '+') spec.plus = ++at > 0;
  if (at < text.size() && text[at] == '0') spec.zero = ++at > 0;
  spec.width = ParseNumber(text, at);
  if (at < text.size() && text[at] == '.') spec.precision = ParseNumber(text, ++at);
  spec.type = '\0';
  if (at < text.size()) spec.type = text[at++];
  if (at != text.size() || (spec.type != '\0' && spec.type != 's' && spec.type != 'd' &&
                            spec.type != 'f' && spec.type != 'x')) {
    FailUnsupported(fmt::format("format specification '{}'", text));
  }
  return spec;
}

class BraceFormatter {
 public:
  BraceFormatter(Heap& heap, const Arguments& values) : heap_(heap), values_(values) {}

  MarkedText Run(const MarkedText& format) {
    const std::string_view text = format.text();
    MarkedText out;
    heap_.Charge(text.size());
    for (size_t at = 0; at < text.size();) {
      const size_t brace = std::min(text.find_first_of("{}", at), text.size());
      out.Append(format, at, brace);
      if (brace == text.size()) break;
      if (brace + 1 < text.size() && text[brace + 1] == text[brace]) {
        out.Append(format, brace, brace + 1);
        at = brace + 2;
        continue;
      }
      const size_t end = text.find('}', brace);
      if (text[brace] == '}' || end == std::string_view::npos) Fail("a format with a single brace");
      heap_.Step();
      Field(text.substr(brace + 1, end - brace - 1), out);
      at = end + 1;
    }
    return out;
  }

 private:
  void Field(std::string_view field, MarkedText& out) {
    const size_t colon = std::min(field.find(':'), field.size());
    std::string_view name = field.substr(0, colon);
    const std::string_view rule = field.substr(std::min(colon + 1, field.size()));
    const bool repr = name.ends_with("!r");
    if (repr || name.ends_with("!s")) name.remove_suffix(2);
    const Value& value = Find(name);
    const bool is_number = value.IsNumber() && !value.Is<bool>() && !repr;
    const Specification spec = BraceSpecification(rule, is_number);
    if (is_number && spec.type != '\0' && spec.type != 's') {
      Specification number = spec;
      if (value.Is<double>() && spec.type == 'd') Fail("a float with the format 'd'");
      AppendNumber(value, number, out);
    } else if (is_number && spec.precision < 0 && value.Is<int64_t>()) {
      Specification number = spec;
      number.type = 'd';
      AppendNumber(value, number, out);
    } else if (is_number && (spec.precision >= 0 || spec.plus || spec.zero)) {
      FailUnsupported(fmt::format("format specification '{}' without a type", rule));
    } else {
      AppendText(heap_, repr ? Repr(heap_, value) : *ToText(heap_, value), spec, out);
    }
  }

  const Value& Find(std::string_view name) {
    if (name.find_first_of(".[{!") != std::string_view::npos) {
      FailUnsupported(fmt::format("'{}' inside a format's braces", name));
    }
    size_t index = next_;
    if (name.empty()) {
      ++next_;
    } else if (name.find_first_not_of("0123456789") == std::string_view::npos) {
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
      if (error != std::errc()) index = values_.positional.size();
    } else {
      for (const auto& [key, value] : values_.keyword) {
        if (key == name) return value;
      }
      Fail(fmt::format("no value '{}' for the format", name));
    }
    if (index >= values_.positional.size()) Fail("too few values for the format");
    return values_.positional[index];
  }

  Heap& heap_;
  const Arguments& values_;
  size_t next_ = 0;
};

}  // namespace

MarkedText BraceFormat(Heap& heap, const MarkedText& format, const Arguments& values) {
  return BraceFormatter(heap, values).Run(format);
}

}  // namespace tome::jinja
