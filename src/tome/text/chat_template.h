// Chat templates say how a checkpoint wants messages written down as one prompt.
//
// The template is Jinja source from `tokenizer_config.json`, `chat_template.jinja` or GGUF's
// `tokenizer.chat_template`. It is rendered as transformers does, in a sandbox with the limits of
// jinja/limits.h; docs/chat-templates.md says what is supported and where results differ.
//
// Documents are data
// ------------------
// A document may hold "<|im_end|>" or "</tool_response>". Were the prompt one string, the tokenizer
// would read those as control tokens, and the document could forge turns, system messages and tool
// results. So Render gives pieces, each with its Origin, and the tokenizer recognises special
// tokens only in pieces of kTemplate. The text between two special tokens is encoded as one,
// whatever its origins: the border of two pieces does not cut a word.
//
// Every byte of every text carries its origin as a mark through the interpreter (marked_text.h).
// Joining, cutting, trimming, replacing, splitting, changing case, escaping, tojson and formatting
// keep the mark of each part. So a template computes on the real text, and its output is byte by
// byte that of Jinja. The alternatives are weaker. Placeholders instead of contents change what a
// template sees when it tests or splits them ('</think>' in content). Looking for the contents in
// the finished text fails where a template trims them or where they stand there twice. Refusing
// special tokens in contents damages documents that are about them.
//
// These are kTemplate: the template's own text and literals, bos_token and eos_token, the date of
// strftime_now, numbers and lists that the template makes of its own, and the value of `role` where
// it is one of kRoles. Templates build control tokens of roles ("<|" + role + "|>"), and the words
// of kRoles are Tome's, not a document's. Everything else is kContent: all of messages with names
// and keys, tools, and variables. Values computed from content are kContent too: lengths, numbers
// read from it, its printed and JSON forms with their punctuation. Where an operation combines both
// origins and cannot tell the bytes apart, its result is kContent. Text does not become kTemplate
// by a forgotten mark: code must name the origin of every text that it makes.
//
// A mark does not say why a text was written. A template that chooses by content between its own
// texts (if content.startswith(…)) writes template text, as in Jinja; the choice is the template's.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/jinja/limits.h"
#include "tome/text/jinja/template.h"
#include "tome/text/marked_text.h"

namespace tome {

// Roles that templates may build control tokens of.
inline constexpr std::array<std::string_view, 8> kRoles = {
    "system", "developer", "user", "assistant", "model", "tool", "function", "ipython"};

// A parsed template. It is immutable: several threads may render it at the same time.
class ChatTemplate {
 public:
  // Throws Error(kCorrupt) for a source that is no template and Error(kUnsupported) for parts of
  // Jinja that Tome does not have; both name the line.
  ChatTemplate(std::string_view source, std::string bos_token, std::string eos_token);

  // True where the template names strftime_now, so that its output may depend on the date.
  bool asks_for_date() const { return asks_for_date_; }

  enum class GenerationPrompt { kNone, kAdd };

  struct Options {
    // With kAdd the prompt ends where the model's reply begins.
    GenerationPrompt generation_prompt = GenerationPrompt::kAdd;
    // An array of tools (JSON schemas), or null for none.
    const nlohmann::ordered_json* tools = nullptr;
    // More variables as an object ({"enable_thinking": false}), or null for none. They replace
    // variables of the same name except bos_token and eos_token.
    const nlohmann::ordered_json* variables = nullptr;
    // The date that strftime_now formats. Without it strftime_now gives `no_date`, whatever the
    // format, or fails where `no_date` is empty too.
    std::optional<std::tm> now;
    std::string_view no_date;
    // Without a value, the limits are Limits::ForInput of the bytes of messages, tools and
    // variables.
    std::optional<jinja::Limits> limits;
  };

  // Renders `messages`, an array of objects {"role", "content", …} in the order of the
  // conversation; templates may use other members, too (tool_calls, reasoning_content, …).
  // Neighbouring pieces differ in origin. Throws the errors of jinja::Template::Render, and
  // Error(kInvalidArgument) for JSON of another shape. Makes several copies of the contents while
  // it runs.
  std::vector<PromptPiece> Render(const nlohmann::ordered_json& messages,
                                  const Options& options) const;
  // Renders one text to be shown. It lacks the origins, so the tokenizer must not get it.
  std::string RenderText(const nlohmann::ordered_json& messages, const Options& options) const;

 private:
  MarkedText RenderMarked(const nlohmann::ordered_json& messages, const Options& options) const;

  jinja::Template template_;
  bool asks_for_date_;
  std::string bos_token_;
  std::string eos_token_;
};

}  // namespace tome
