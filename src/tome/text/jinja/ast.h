// The syntax tree of a template. The parser builds it, the interpreter walks it, and it never
// changes.
//
// Templates make long chains of some constructs ("a" + "b" + "c" + …, and/or, elif). Such chains
// are flat vectors; everything else nests at most kMaxParseDepth deep.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tome/text/jinja/value.h"

namespace tome::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> keyword;
  ExpressionPtr more_positional;  // *args, or null
  ExpressionPtr more_keyword;     // **kwargs, or null
};

struct LiteralExpression {
  Value value;
};
struct NameExpression {
  std::string name;
};
struct ListExpression {
  std::vector<ExpressionPtr> items;
  bool is_tuple = false;
};
struct DictExpression {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};
struct AttributeExpression {
  ExpressionPtr object;
  std::string name;
};
struct ItemExpression {
  ExpressionPtr object;
  ExpressionPtr index;
};
struct SliceExpression {
  ExpressionPtr object;
  ExpressionPtr begin, end, step;  // each may be null
};
struct CallExpression {
  ExpressionPtr callee;
  CallArguments arguments;
};
struct FilterExpression {
  ExpressionPtr input;  // null: the filter applies to the text of its block
  std::string name;
  CallArguments arguments;
};
struct TestExpression {
  ExpressionPtr input;
  std::string name;
  CallArguments arguments;
};
struct NegateExpression {
  ExpressionPtr operand;
  bool negative = true;  // false: unary plus
};
struct NotExpression {
  ExpressionPtr operand;
};
enum class Operator { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };
// first OP operand OP operand …, evaluated from left to right.
struct ArithmeticExpression {
  ExpressionPtr first;
  std::vector<std::pair<Operator, ExpressionPtr>> rest;
};
struct ConcatExpression {
  std::vector<ExpressionPtr> parts;
};
struct LogicalExpression {
  bool is_and = false;
  std::vector<ExpressionPtr> operands;
};
enum class Comparison {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn
};
struct CompareExpression {
  ExpressionPtr first;
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
};
struct ConditionalExpression {
  ExpressionPtr condition, then, otherwise;  // otherwise may be null
};

struct Expression {
  std::variant<LiteralExpression, NameExpression, ListExpression, DictExpression,
               AttributeExpression, ItemExpression, SliceExpression, CallExpression,
               FilterExpression, TestExpression, NegateExpression, NotExpression,
               ArithmeticExpression, ConcatExpression, LogicalExpression, CompareExpression,
               ConditionalExpression>
      node;
  int line = 1;
  int height = 1;  // levels of the tree, including this node
};

// The target of an assignment: a name, namespace.attribute, or a tuple of targets.
struct Target {
  std::string name;
  std::string attribute;      // of the namespace `name`; empty for a plain name
  std::vector<Target> items;  // the targets of a tuple
  bool is_tuple = false;
  int line = 1;
};

struct Statement;
using Block = std::vector<Statement>;

// The parameters and the body of a macro or of a call block.
struct MacroDefinition {
  struct Parameter {
    std::string name;
    ExpressionPtr fallback;  // null: no default
  };
  std::string name;
  std::vector<Parameter> parameters;
  Block body;
  bool uses_caller = false;
  bool uses_varargs = false;
  bool uses_kwargs = false;
};

struct DataStatement {
  Text text;
};
struct OutputStatement {
  ExpressionPtr expression;
};
struct IfStatement {
  std::vector<std::pair<ExpressionPtr, Block>> branches;
  Block otherwise;
};
struct ForStatement {
  Target target;
  ExpressionPtr iterable;
  ExpressionPtr condition;  // null: no condition
  Block body;
  Block otherwise;
};
struct SetStatement {
  Target target;
  ExpressionPtr value;
};
struct SetBlockStatement {
  Target target;
  ExpressionPtr filter;  // null: no filter
  Block body;
};
struct WithStatement {
  std::vector<std::pair<Target, ExpressionPtr>> variables;
  Block body;
};
struct MacroStatement {
  std::unique_ptr<MacroDefinition> macro;
};
struct CallBlockStatement {
  ExpressionPtr call;  // a CallExpression
  std::unique_ptr<MacroDefinition> caller;
};
struct FilterBlockStatement {
  ExpressionPtr filter;
  Block body;
};
// {% generation %} marks the text of a model for training. Here it only opens a scope.
struct GenerationStatement {
  Block body;
};
struct BreakStatement {};
struct ContinueStatement {};

struct Statement {
  std::variant<DataStatement, OutputStatement, IfStatement, ForStatement, SetStatement,
               SetBlockStatement, WithStatement, MacroStatement, CallBlockStatement,
               FilterBlockStatement, GenerationStatement, BreakStatement, ContinueStatement>
      node;
  int line = 1;
};

}  // namespace tome::jinja
