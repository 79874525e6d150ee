// Chat templates: how a checkpoint wants messages written down as one prompt.
//
// The template is Jinja source from `tokenizer_config.json`, `chat_template.jinja` or GGUF's
// `tokenizer.chat_template`; it is rendered as transformers does (docs/chat-templates.md says what
// is supported and where it differs), in a sandbox with the limits of jinja/limits.h.
//
// Documents are data
// ------------------
// A document may hold "<|im_end|>" or "</tool_response>". Were the prompt one string, the tokenizer
// would read those as control tokens and the document could forge turns, system messages and tool
// results. So Render gives pieces, each with its Origin, and the tokenizer recognises special
// tokens in pieces of kTemplate only. (The text between two special tokens is then encoded as one,
// whatever its origins: a border of pieces is no border of words.)
//
// How the origin is known: every byte of every text carries its mark through the interpreter
// (marked_text.h). Joining, cutting, trimming, replacing, splitting, changing case, escaping,
// tojson and formatting keep the mark of each part. The alternatives are weaker: placeholders put
// in for contents change what a template sees when it tests or splits them ('</think>' in content);
// looking for the contents in the finished text fails when a template trims them or when they stand
// there twice; refusing special tokens in contents damages documents that are about them. Here a
// template computes on the real text, so its output is byte by byte that of Jinja, and the marks
// ride along.
//
// What is kTemplate: the template's own text and literals, bos_token and eos_token, `now`, numbers
// and lists that the template makes of its own, and the value of `role` where it is one of kRoles,
// since templates build control tokens of it ("<|" + role + "|>"); those words are ours, not a
// document's. Everything else is kContent: all of messages with names and keys, tools, and
// variables. So is all that is computed from content: lengths, numbers read from it, its printed
// and JSON forms with their punctuation. A path that lost the mark would have to be written as
// template text explicitly; whatever combines both and cannot say which byte is whose is kContent.
//
// What a mark cannot say: a template that decides by content which of its own texts to write (if
// content.startswith(…)) writes template text, as it does in Jinja; the choice is the template's.
#pragma once

#include <array>
#include <ctime>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/jinja/limits.h"
#include "tome/text/jinja/template.h"
#include "tome/text/marked_text.h"

namespace tome {

// The names of roles that templates may build control tokens of.
inline constexpr std::array<std::string_view, 8> kRoles = {
    "system", "developer", "user", "assistant", "model", "tool", "function", "ipython"};

// Immutable: threads may render one at the same time.
class ChatTemplate {
 public:
  // Throws Error(kCorrupt) or Error(kUnsupported), with the line, for a source that is no template.
  ChatTemplate(std::string_view source, std::string bos_token, std::string eos_token);

  // Whether the template names strftime_now: what it writes may depend on the date.
  bool asks_for_date() const { return asks_for_date_; }

  enum class GenerationPrompt { kNone, kAdd };

  struct Options {
    // kAdd: the prompt ends where the model's answer begins.
    GenerationPrompt generation_prompt = GenerationPrompt::kAdd;
    // An array of tools (JSON schemas); null: none.
    const nlohmann::ordered_json* tools = nullptr;
    // More variables, an object ({"enable_thinking": false}); null: none. They take precedence over
    // the others except bos_token and eos_token.
    const nlohmann::ordered_json* variables = nullptr;
    // What strftime_now formats. Unset, it gives `no_date` whatever the format; where that is empty
    // too, a template that asks for the date fails.
    std::optional<std::tm> now;
    std::string_view no_date;
    // Unset: Limits::ForInput of the bytes of messages, tools and variables.
    std::optional<jinja::Limits> limits;
  };

  // `messages` is an array of objects {"role", "content", …} in the order of the conversation;
  // extra members (tool_calls, reasoning_content, …) are the template's to use. Adjacent pieces
  // differ in origin. Throws as jinja::Template::Render, and Error(kInvalidArgument) for JSON of
  // another shape. Makes several copies of the contents while it runs.
  std::vector<PromptPiece> Render(const nlohmann::ordered_json& messages,
                                  const Options& options) const;
  // The same as one text, for showing; not for the tokenizer, see above.
  std::string RenderText(const nlohmann::ordered_json& messages, const Options& options) const;

 private:
  MarkedText RenderMarked(const nlohmann::ordered_json& messages, const Options& options) const;

  jinja::Template template_;
  bool asks_for_date_;
  std::string bos_token_;
  std::string eos_token_;
};

}  // namespace tome
