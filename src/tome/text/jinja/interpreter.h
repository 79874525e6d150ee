// Evaluates the tree of a template. An Interpreter renders once. Built-in filters, tests and
// methods get it to access the rendering.
//
// Scopes are Jinja's. Loops, macros, captured blocks, call blocks and {% with %} have a scope of
// their own, and an assignment inside stays inside; {% if %} has none. Macros see the variables
// around them as they are when the macro is called.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tome/text/jinja/arguments.h"
#include "tome/text/jinja/ast.h"
#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

// The names are views of the tree or of the caller's variables, which must outlive the rendering.
struct Scope {
  std::shared_ptr<Scope> parent;
  std::unordered_map<std::string_view, Value> variables;
};

class Interpreter {
 public:
  explicit Interpreter(Heap& heap);

  // Renders a template with `globals` as its outermost scope. Errors name the line.
  MarkedText Render(const Block& block, std::shared_ptr<Scope> globals);

  Heap& heap() { return heap_; }

  // Evaluates callee(arguments). Throws where `callee` cannot be called.
  Value Call(const Value& callee, Arguments& arguments);
  Value ApplyFilter(const std::string& name, const Value& input, const Arguments& arguments);
  bool ApplyTest(const std::string& name, const Value& input, const Arguments& arguments);
  // Evaluates object.name: a method or attribute, else the item of that name, else undefined.
  Value GetAttribute(const Value& object, const std::string& name);
  // Evaluates object[index]: an item, else the attribute of that name, else undefined.
  Value GetItem(const Value& object, const Value& index);

 private:
  enum class Flow { kNormal, kBreak, kContinue };
  class Depth;

  // Expressions (expressions.cc).
  Value Evaluate(const Expression& expression);
  Value EvaluateNode(const LiteralExpression& node) { return node.value; }
  Value EvaluateNode(const NameExpression& node);
  Value EvaluateNode(const ListExpression& node);
  Value EvaluateNode(const DictExpression& node);
  Value EvaluateNode(const AttributeExpression& node);
  Value EvaluateNode(const ItemExpression& node);
  Value EvaluateNode(const SliceExpression& node);
  Value EvaluateNode(const CallExpression& node);
  Value EvaluateNode(const FilterExpression& node);
  Value EvaluateNode(const TestExpression& node);
  Value EvaluateNode(const NegateExpression& node);
  Value EvaluateNode(const NotExpression& node);
  Value EvaluateNode(const ArithmeticExpression& node);
  Value EvaluateNode(const ConcatExpression& node);
  Value EvaluateNode(const LogicalExpression& node);
  Value EvaluateNode(const CompareExpression& node);
  Value EvaluateNode(const ConditionalExpression& node);
  Arguments EvaluateArguments(const CallArguments& arguments);
  Value CallNode(const CallExpression& node, const Value* caller);
  Value ApplyFilters(const Expression* filter, Value input);

  // Statements (statements.cc).
  Flow Execute(const Block& block);
  Flow ExecuteStatement(const Statement& statement);
  Flow ExecuteNode(const DataStatement& node);
  Flow ExecuteNode(const OutputStatement& node);
  Flow ExecuteNode(const IfStatement& node);
  Flow ExecuteNode(const ForStatement& node);
  Flow ExecuteNode(const SetStatement& node);
  Flow ExecuteNode(const SetBlockStatement& node);
  Flow ExecuteNode(const WithStatement& node);
  Flow ExecuteNode(const MacroStatement& node);
  Flow ExecuteNode(const CallBlockStatement& node);
  Flow ExecuteNode(const FilterBlockStatement& node);
  Flow ExecuteNode(const GenerationStatement& node);
  Flow ExecuteNode(const BreakStatement&) { return Flow::kBreak; }
  Flow ExecuteNode(const ContinueStatement&) { return Flow::kContinue; }
  std::vector<Value> LoopItems(const ForStatement& node);
  void Assign(const Target& target, Value value);
  void Emit(const MarkedText& text);
  // Executes a block in a scope of its own and returns the text that it writes.
  Value Capture(const Block& block);

  // Macros (macros.cc).
  Value MakeMacro(const MacroDefinition& macro);
  Value CallMacro(const MacroDefinition& macro, const std::shared_ptr<Scope>& outer,
                  Arguments& arguments);
  void BindParameters(const MacroDefinition& macro, Arguments& arguments);

  const Value* Find(std::string_view name) const;
  std::shared_ptr<Scope> PushScope(std::shared_ptr<Scope> parent);

  Heap& heap_;
  std::shared_ptr<Scope> scope_;
  MarkedText* out_ = nullptr;
  const Value* filtered_ = nullptr;  // input of the current block's filters
  int line_ = 0;
  int depth_ = 0;
  int calls_ = 0;
};

// Counts nested evaluations: one level for as long as the object lives.
class Interpreter::Depth {
 public:
  explicit Depth(Interpreter& interpreter);
  ~Depth() { --interpreter_.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  Interpreter& interpreter_;
};

}  // namespace tome::jinja
