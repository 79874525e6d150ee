#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tome/base/error.h"
#include "tome/text/jinja/limits.h"
#include "tome/text/jinja/parser.h"

namespace tome::jinja {
namespace {

int Height(const ExpressionPtr& expression) {
  return expression == nullptr ? 0 : expression->height;
}

int Height(const CallArguments& arguments) {
  int height = std::max(Height(arguments.more_positional), Height(arguments.more_keyword));
  for (const ExpressionPtr& value : arguments.positional) height = std::max(height, Height(value));
  for (const auto& [name, value] : arguments.keyword) height = std::max(height, Height(value));
  return height;
}

template <typename Part>
int Height(const std::vector<std::pair<Part, ExpressionPtr>>& parts) {
  int height = 0;
  for (const auto& part : parts) height = std::max(height, Height(part.second));
  return height;
}

int Height(const std::vector<ExpressionPtr>& parts) {
  int height = 0;
  for (const ExpressionPtr& part : parts) height = std::max(height, Height(part));
  return height;
}

int ChildHeight(const LiteralExpression&) { return 0; }
int ChildHeight(const NameExpression&) { return 0; }
int ChildHeight(const ListExpression& node) { return Height(node.items); }
int ChildHeight(const DictExpression& node) {
  int height = 0;
  for (const auto& [key, value] : node.entries) {
    height = std::max({height, Height(key), Height(value)});
  }
  return height;
}
int ChildHeight(const AttributeExpression& node) { return Height(node.object); }
int ChildHeight(const ItemExpression& node) {
  return std::max(Height(node.object), Height(node.index));
}
int ChildHeight(const SliceExpression& node) {
  return std::max({Height(node.object), Height(node.begin), Height(node.end), Height(node.step)});
}
int ChildHeight(const CallExpression& node) {
  return std::max(Height(node.callee), Height(node.arguments));
}
int ChildHeight(const FilterExpression& node) {
  return std::max(Height(node.input), Height(node.arguments));
}
int ChildHeight(const TestExpression& node) {
  return std::max(Height(node.input), Height(node.arguments));
}
int ChildHeight(const NegateExpression& node) { return Height(node.operand); }
int ChildHeight(const NotExpression& node) { return Height(node.operand); }
int ChildHeight(const ArithmeticExpression& node) {
  return std::max(Height(node.first), Height(node.rest));
}
int ChildHeight(const ConcatExpression& node) { return Height(node.parts); }
int ChildHeight(const LogicalExpression& node) { return Height(node.operands); }
int ChildHeight(const CompareExpression& node) {
  return std::max(Height(node.first), Height(node.rest));
}
int ChildHeight(const ConditionalExpression& node) {
  return std::max({Height(node.condition), Height(node.then), Height(node.otherwise)});
}

std::optional<Operator> SumOperator(const Token& token) {
  if (token.IsOperator("+")) return Operator::kAdd;
  if (token.IsOperator("-")) return Operator::kSubtract;
  return std::nullopt;
}

std::optional<Operator> ProductOperator(const Token& token) {
  if (token.IsOperator("*")) return Operator::kMultiply;
  if (token.IsOperator("/")) return Operator::kDivide;
  if (token.IsOperator("//")) return Operator::kFloorDivide;
  if (token.IsOperator("%")) return Operator::kModulo;
  return std::nullopt;
}

std::optional<Comparison> ComparisonOperator(const Token& token) {
  if (token.kind != TokenKind::kOperator) return std::nullopt;
  if (token.text == "==") return Comparison::kEqual;
  if (token.text == "!=") return Comparison::kNotEqual;
  if (token.text == "<") return Comparison::kLess;
  if (token.text == "<=") return Comparison::kLessEqual;
  if (token.text == ">") return Comparison::kGreater;
  if (token.text == ">=") return Comparison::kGreaterEqual;
  return std::nullopt;
}

}  // namespace

template <typename Node>
ExpressionPtr Parser::Make(Node node, int line) const {
  const int height = 1 + ChildHeight(node);
  if (height > kMaxParseDepth) {
    Fail(fmt::format("an expression nested deeper than {} levels", kMaxParseDepth));
  }
  auto expression = std::make_unique<Expression>();
  expression->node = std::move(node);
  expression->line = line;
  expression->height = height;
  return expression;
}

bool Parser::AtTupleEnd() const {
  return Current().kind == TokenKind::kVariableEnd || Current().kind == TokenKind::kBlockEnd ||
         Current().IsOperator(")") || Current().IsName("recursive");
}

ExpressionPtr Parser::ParseTuple(Conditional conditional, EmptyTuple empty) {
  const int line = Current().line;
  ListExpression tuple;
  tuple.is_tuple = true;
  bool comma = false;
  while (!AtTupleEnd()) {
    tuple.items.push_back(ParseExpression(conditional));
    if (!SkipOperator(",")) break;
    comma = true;
  }
  if (!comma && !tuple.items.empty()) return std::move(tuple.items[0]);
  if (!comma && empty == EmptyTuple::kNot) Fail("expected an expression");
  return Make(std::move(tuple), line);
}

ExpressionPtr Parser::ParseExpression(Conditional conditional) {
  const Nesting nesting(*this);
  return conditional == Conditional::kAllowed ? ParseConditional() : ParseLogical(Junction::kOr);
}

ExpressionPtr Parser::ParseConditional() {
  const int line = Current().line;
  ExpressionPtr value = ParseLogical(Junction::kOr);
  while (SkipName("if")) {
    ConditionalExpression choice;
    choice.then = std::move(value);
    choice.condition = ParseLogical(Junction::kOr);
    if (SkipName("else")) choice.otherwise = ParseExpression();
    value = Make(std::move(choice), line);
  }
  return value;
}

ExpressionPtr Parser::ParseLogical(Junction junction) {
  const int line = Current().line;
  const bool is_and = junction == Junction::kAnd;
  const auto operand = [&] { return is_and ? ParseNot() : ParseLogical(Junction::kAnd); };
  ExpressionPtr first = operand();
  const char* name = is_and ? "and" : "or";
  if (!Current().IsName(name)) return first;
  LogicalExpression logical;
  logical.is_and = is_and;
  logical.operands.push_back(std::move(first));
  while (SkipName(name)) logical.operands.push_back(operand());
  return Make(std::move(logical), line);
}

ExpressionPtr Parser::ParseNot() {
  const int line = Current().line;
  if (!SkipName("not")) return ParseCompare();
  const Nesting nesting(*this);
  return Make(NotExpression{ParseNot()}, line);
}

ExpressionPtr Parser::ParseCompare() {
  const int line = Current().line;
  ExpressionPtr first = ParseSum();
  CompareExpression compare;
  while (true) {
    if (const auto comparison = ComparisonOperator(Current())) {
      Take();
      compare.rest.emplace_back(*comparison, ParseSum());
    } else if (SkipName("in")) {
      compare.rest.emplace_back(Comparison::kIn, ParseSum());
    } else if (Current().IsName("not") && Following().IsName("in")) {
      Take();
      Take();
      compare.rest.emplace_back(Comparison::kNotIn, ParseSum());
    } else {
      break;
    }
  }
  if (compare.rest.empty()) return first;
  compare.first = std::move(first);
  return Make(std::move(compare), line);
}

ExpressionPtr Parser::ParseSum() {
  const int line = Current().line;
  ExpressionPtr first = ParseConcat();
  ArithmeticExpression sum;
  while (const auto sign = SumOperator(Current())) {
    Take();
    sum.rest.emplace_back(*sign, ParseConcat());
  }
  if (sum.rest.empty()) return first;
  sum.first = std::move(first);
  return Make(std::move(sum), line);
}

ExpressionPtr Parser::ParseConcat() {
  const int line = Current().line;
  ConcatExpression concat;
  concat.parts.push_back(ParseProduct());
  while (SkipOperator("~")) concat.parts.push_back(ParseProduct());
  if (concat.parts.size() == 1) return std::move(concat.parts[0]);
  return Make(std::move(concat), line);
}

ExpressionPtr Parser::ParseProduct() {
  const int line = Current().line;
  ExpressionPtr first = ParsePower();
  ArithmeticExpression product;
  while (const auto sign = ProductOperator(Current())) {
    Take();
    product.rest.emplace_back(*sign, ParsePower());
  }
  if (product.rest.empty()) return first;
  product.first = std::move(first);
  return Make(std::move(product), line);
}

// In Jinja, `**` binds less than a sign and groups from the left, unlike in Python.
ExpressionPtr Parser::ParsePower() {
  const int line = Current().line;
  ExpressionPtr first = ParseUnary();
  ArithmeticExpression power;
  while (SkipOperator("**")) power.rest.emplace_back(Operator::kPower, ParseUnary());
  if (power.rest.empty()) return first;
  power.first = std::move(first);
  return Make(std::move(power), line);
}

ExpressionPtr Parser::ParseUnary() {
  const Nesting nesting(*this);
  return ParseFilterOrTest(ParseSigned());
}

ExpressionPtr Parser::ParseSigned() {
  const int line = Current().line;
  if (!Current().IsOperator("-") && !Current().IsOperator("+")) return ParsePostfix(ParsePrimary());
  const bool negative = Take().text == "-";
  const Nesting nesting(*this);
  return Make(NegateExpression{ParseSigned(), negative}, line);
}

ExpressionPtr Parser::ParseName() {
  const Token token = Take();
  const std::string& name = token.text;
  if (name == "true" || name == "True") return Make(LiteralExpression{Value(true)}, token.line);
  if (name == "false" || name == "False") return Make(LiteralExpression{Value(false)}, token.line);
  if (name == "none" || name == "None") return Make(LiteralExpression{Value(None{})}, token.line);
  for (MacroDefinition* macro : macros_) {
    macro->uses_caller |= name == "caller";
    macro->uses_varargs |= name == "varargs";
    macro->uses_kwargs |= name == "kwargs";
  }
  return Make(NameExpression{name}, token.line);
}

ExpressionPtr Parser::ParsePrimary() {
  const int line = Current().line;
  switch (Current().kind) {
    case TokenKind::kName:
      return ParseName();
    case TokenKind::kString: {
      std::string text;
      while (Current().kind == TokenKind::kString) text += Take().text;
      return Make(LiteralExpression{Value(
                      std::make_shared<const MarkedText>(std::move(text), Origin::kTemplate))},
                  line);
    }
    case TokenKind::kInteger:
      return Make(LiteralExpression{Value(Take().integer)}, line);
    case TokenKind::kFloat:
      return Make(LiteralExpression{Value(Take().number)}, line);
    default:
      break;
  }
  if (SkipOperator("(")) {
    ExpressionPtr inner = ParseTuple(Conditional::kAllowed, EmptyTuple::kAllowed);
    ExpectOperator(")");
    return inner;
  }
  if (Current().IsOperator("[")) return ParseList();
  if (Current().IsOperator("{")) return ParseDict();
  Fail(Current().kind == TokenKind::kOperator
           ? fmt::format("unexpected '{}' where an expression is expected", Current().text)
           : "expected an expression");
}

ExpressionPtr Parser::ParseList() {
  const int line = Current().line;
  ExpectOperator("[");
  ListExpression list;
  while (!Current().IsOperator("]")) {
    list.items.push_back(ParseExpression());
    if (!Current().IsOperator("]")) ExpectOperator(",");
  }
  Take();
  return Make(std::move(list), line);
}

ExpressionPtr Parser::ParseDict() {
  const int line = Current().line;
  ExpectOperator("{");
  DictExpression dict;
  while (!Current().IsOperator("}")) {
    ExpressionPtr key = ParseExpression();
    ExpectOperator(":");
    dict.entries.emplace_back(std::move(key), ParseExpression());
    if (!Current().IsOperator("}")) ExpectOperator(",");
  }
  Take();
  return Make(std::move(dict), line);
}

ExpressionPtr Parser::ParsePostfix(ExpressionPtr expression) {
  while (true) {
    const int line = Current().line;
    if (Current().IsOperator(".") || Current().IsOperator("[")) {
      expression = ParseSubscript(std::move(expression));
    } else if (Current().IsOperator("(")) {
      CallArguments arguments = ParseArguments();
      expression = Make(CallExpression{std::move(expression), std::move(arguments)}, line);
    } else {
      return expression;
    }
  }
}

ExpressionPtr Parser::ParseFilterOrTest(ExpressionPtr expression) {
  while (true) {
    const int line = Current().line;
    if (Current().IsOperator("|")) {
      expression = ParseFilters(std::move(expression));
    } else if (Current().IsName("is")) {
      expression = ParseTest(std::move(expression));
    } else if (Current().IsOperator("(")) {
      CallArguments arguments = ParseArguments();
      expression = Make(CallExpression{std::move(expression), std::move(arguments)}, line);
    } else {
      return expression;
    }
  }
}

ExpressionPtr Parser::ParseSubscript(ExpressionPtr object) {
  const int line = Current().line;
  if (SkipOperator(".")) {
    if (Current().kind == TokenKind::kName) {
      return Make(AttributeExpression{std::move(object), Take().text}, line);
    }
    if (Current().kind != TokenKind::kInteger) Fail("expected a name or a number after '.'");
    ExpressionPtr index = Make(LiteralExpression{Value(Take().integer)}, line);
    return Make(ItemExpression{std::move(object), std::move(index)}, line);
  }
  ExpectOperator("[");
  ExpressionPtr first;
  if (!Current().IsOperator(":")) first = ParseTuple(Conditional::kAllowed);
  if (SkipOperator("]")) return Make(ItemExpression{std::move(object), std::move(first)}, line);
  ExpectOperator(":");
  SliceExpression slice;
  slice.object = std::move(object);
  slice.begin = std::move(first);
  const auto part_follows = [this] {
    return !Current().IsOperator(":") && !Current().IsOperator("]");
  };
  if (part_follows()) slice.end = ParseExpression();
  if (SkipOperator(":") && part_follows()) slice.step = ParseExpression();
  ExpectOperator("]");
  return Make(std::move(slice), line);
}

std::string Parser::ParseDottedName() {
  std::string name = ExpectIdentifier();
  while (SkipOperator(".")) name += "." + ExpectIdentifier();
  return name;
}

ExpressionPtr Parser::ParseFilters(ExpressionPtr input) {
  while (SkipOperator("|")) input = ParseFilter(std::move(input));
  return input;
}

ExpressionPtr Parser::ParseFilter(ExpressionPtr input) {
  const int line = Current().line;
  FilterExpression filter;
  filter.input = std::move(input);
  filter.name = ParseDottedName();
  if (Current().IsOperator("(")) filter.arguments = ParseArguments();
  return Make(std::move(filter), line);
}

ExpressionPtr Parser::ParseTest(ExpressionPtr input) {
  const int line = Current().line;
  ExpectName("is");
  const bool negated = SkipName("not");
  TestExpression test;
  test.input = std::move(input);
  test.name = ParseDottedName();
  const Token& next = Current();
  const bool operand = next.kind == TokenKind::kName || next.kind == TokenKind::kString ||
                       next.kind == TokenKind::kInteger || next.kind == TokenKind::kFloat ||
                       next.IsOperator("[") || next.IsOperator("{");
  if (next.IsOperator("(")) {
    test.arguments = ParseArguments();
  } else if (operand && !next.IsName("else") && !next.IsName("or") && !next.IsName("and")) {
    if (next.IsName("is")) Fail("tests with 'is' cannot be chained");
    test.arguments.positional.push_back(ParsePostfix(ParsePrimary()));
  }
  ExpressionPtr result = Make(std::move(test), line);
  return negated ? Make(NotExpression{std::move(result)}, line) : std::move(result);
}

CallArguments Parser::ParseArguments() {
  ExpectOperator("(");
  CallArguments arguments;
  while (!Current().IsOperator(")")) {
    if (Current().IsOperator("*")) {
      if (arguments.more_positional != nullptr) Fail("a call with two '*'");
      Take();
      arguments.more_positional = ParseExpression();
    } else if (SkipOperator("**")) {
      if (arguments.more_keyword != nullptr) Fail("a call with two '**'");
      arguments.more_keyword = ParseExpression();
    } else if (Current().kind == TokenKind::kName && Following().IsOperator("=")) {
      std::string name = Take().text;
      Take();
      arguments.keyword.emplace_back(std::move(name), ParseExpression());
    } else {
      if (!arguments.keyword.empty() || arguments.more_positional != nullptr ||
          arguments.more_keyword != nullptr) {
        Fail("a positional argument after a keyword argument");
      }
      arguments.positional.push_back(ParseExpression());
    }
    if (!Current().IsOperator(")")) ExpectOperator(",");
  }
  Take();
  return arguments;
}

}  // namespace tome::jinja
