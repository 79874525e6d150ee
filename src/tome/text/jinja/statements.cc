#include <fmt/format.h>

#include <utility>

#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/interpreter.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/printing.h"

namespace tome::jinja {
namespace {

// Cost of a scope with the table of its variables.
constexpr uint64_t kScopeBytes = 128;

// Puts back a member when the block ends, even after an exception.
template <typename T>
class Restore {
 public:
  explicit Restore(T& place) : place_(place), before_(place) {}
  ~Restore() { place_ = std::move(before_); }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  T& place_;
  T before_;
};

}  // namespace

Interpreter::Interpreter(Heap& heap) : heap_(heap) {}

MarkedText Interpreter::Render(const Block& block, std::shared_ptr<Scope> globals) {
  MarkedText out;
  out_ = &out;
  scope_ = PushScope(std::move(globals));
  try {
    Execute(block);
  } catch (const Error& error) {
    throw error.In(fmt::format("template line {}", line_));
  }
  return out;
}

std::shared_ptr<Scope> Interpreter::PushScope(std::shared_ptr<Scope> parent) {
  heap_.Charge(kScopeBytes);
  auto scope = std::make_shared<Scope>();
  scope->parent = std::move(parent);
  return scope;
}

const Value* Interpreter::Find(std::string_view name) const {
  for (const Scope* scope = scope_.get(); scope != nullptr; scope = scope->parent.get()) {
    const auto found = scope->variables.find(name);
    if (found != scope->variables.end()) return &found->second;
  }
  return nullptr;
}

void Interpreter::Emit(const MarkedText& text) {
  if (text.size() > heap_.limits().output_bytes - out_->size()) {
    FailLimit(fmt::format("the template writes more than {} bytes", heap_.limits().output_bytes));
  }
  heap_.Charge(text.size() + text.runs().size() * sizeof(MarkedText::Run));
  out_->Append(text);
}

Interpreter::Flow Interpreter::Execute(const Block& block) {
  for (const Statement& statement : block) {
    const Flow flow = ExecuteStatement(statement);
    if (flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::ExecuteStatement(const Statement& statement) {
  const Depth depth(*this);
  heap_.Step();
  line_ = statement.line;
  return std::visit([this](const auto& node) { return ExecuteNode(node); }, statement.node);
}

Interpreter::Flow Interpreter::ExecuteNode(const DataStatement& node) {
  Emit(*node.text);
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::ExecuteNode(const OutputStatement& node) {
  const Value value = Evaluate(*node.expression);
  Emit(*ToText(heap_, value));
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::ExecuteNode(const IfStatement& node) {
  for (const auto& [condition, body] : node.branches) {
    if (Truthy(Evaluate(*condition))) return Execute(body);
  }
  return Execute(node.otherwise);
}

std::vector<Value> Interpreter::LoopItems(const ForStatement& node) {
  const Value iterable = Evaluate(*node.iterable);
  std::vector<Value> items = Iterate(heap_, iterable);
  if (node.condition == nullptr) return items;
  const Restore scope(scope_);
  const std::shared_ptr<Scope> outer = scope_;
  std::vector<Value> kept;
  for (Value& item : items) {
    scope_ = PushScope(outer);
    Assign(node.target, item);
    if (Truthy(Evaluate(*node.condition))) kept.push_back(std::move(item));
  }
  return kept;
}

Interpreter::Flow Interpreter::ExecuteNode(const ForStatement& node) {
  const std::vector<Value> items = LoopItems(node);
  const Restore scope(scope_);
  const std::shared_ptr<Scope> outer = scope_;
  if (items.empty()) {
    scope_ = PushScope(outer);
    return Execute(node.otherwise);
  }
  Loop* loop = heap_.NewLoop();
  loop->items = &items;
  loop->length = std::ssize(items);
  // A variable may keep `loop` after the loop has ended, but its items do not live that long.
  struct Close {
    Loop* loop;
    ~Close() { loop->items = nullptr; }
  } close{loop};
  for (const Value& item : items) {
    // Each turn has a new scope, so that macros defined inside keep the scope of their turn.
    scope_ = PushScope(outer);
    scope_->variables["loop"] = Value(loop);
    Assign(node.target, item);
    if (Execute(node.body) == Flow::kBreak) break;
    ++loop->index0;
  }
  return Flow::kNormal;
}

void Interpreter::Assign(const Target& target, Value value) {
  if (target.is_tuple) {
    const std::vector<Value> items = Iterate(heap_, value);
    if (items.size() != target.items.size()) {
      Fail(fmt::format("{} values for {} names", items.size(), target.items.size()));
    }
    for (size_t i = 0; i < items.size(); ++i) Assign(target.items[i], items[i]);
  } else if (target.attribute.empty()) {
    heap_.Charge(sizeof(Value));
    scope_->variables[target.name] = std::move(value);
  } else {
    const Value* names = Find(target.name);
    if (names == nullptr || !names->Is<Namespace*>()) {
      Fail(fmt::format("'{}' is no namespace; only attributes of namespaces can be set",
                       target.name));
    }
    Namespace* space = names->As<Namespace*>();
    heap_.Set(space->attributes, target.attribute, std::move(value));
  }
}

Interpreter::Flow Interpreter::ExecuteNode(const SetStatement& node) {
  Value value = Evaluate(*node.value);
  line_ = node.target.line;
  Assign(node.target, std::move(value));
  return Flow::kNormal;
}

Value Interpreter::Capture(const Block& block) {
  const Restore scope(scope_);
  const Restore out(out_);
  MarkedText captured;
  scope_ = PushScope(scope_);
  out_ = &captured;
  Execute(block);
  return heap_.NewText(std::move(captured));
}

Value Interpreter::ApplyFilters(const Expression* filter, Value input) {
  if (filter == nullptr) return input;
  const Restore filtered(filtered_);
  filtered_ = &input;
  return Evaluate(*filter);
}

Interpreter::Flow Interpreter::ExecuteNode(const SetBlockStatement& node) {
  Assign(node.target, ApplyFilters(node.filter.get(), Capture(node.body)));
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::ExecuteNode(const WithStatement& node) {
  std::vector<Value> values;  // all values are evaluated in the outer scope
  for (const auto& [target, value] : node.variables) values.push_back(Evaluate(*value));
  const Restore scope(scope_);
  scope_ = PushScope(scope_);
  for (size_t i = 0; i < values.size(); ++i) Assign(node.variables[i].first, values[i]);
  return Execute(node.body);
}

Interpreter::Flow Interpreter::ExecuteNode(const FilterBlockStatement& node) {
  Emit(*ToText(heap_, ApplyFilters(node.filter.get(), Capture(node.body))));
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::ExecuteNode(const GenerationStatement& node) {
  const Value text = Capture(node.body);
  Emit(*text.text());
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::ExecuteNode(const MacroStatement& node) {
  Value macro = MakeMacro(*node.macro);
  scope_->variables[node.macro->name] = std::move(macro);
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::ExecuteNode(const CallBlockStatement& node) {
  const Value caller = MakeMacro(*node.caller);
  const Value result = CallNode(std::get<CallExpression>(node.call->node), &caller);
  Emit(*ToText(heap_, result));
  return Flow::kNormal;
}

}  // namespace tome::jinja
