// What Tome says to a question about documents, whatever the way it was found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/advice.h"
#include "tome/documents/document.h"
#include "tome/library/library.h"

namespace tome {

// A place in a document that supports the answer. Its quote is exactly the bytes of `span` of the
// document's text (`tome text`).
struct Citation {
  DocumentId document_id = 0;
  std::string document;                // the file as the user named it, else its first path
  std::optional<int64_t> page;         // nothing where the format has no pages
  std::string page_label;              // as printed on the page; may be empty
  std::optional<std::string> section;  // "Part > Chapter"; nothing outside any section
  TextSpan span;
  std::string quote;
  double score = 0;  // higher is better; comparable within one answer only
};

// How far an answer stands on its evidence.
enum class Support {
  kSupported,
  kPartly,  // the closest that the text says; some of the answer may not follow from it
  kNone,    // the answer is the model's own, the evidence is only what comes nearest
};
std::string_view NameOf(Support support);  // "supported", "partly", "none"

// A sentence of the answer's text, and how far it is supported.
struct SentenceSupport {
  TextSpan span;  // of the answer's text
  Support support = Support::kNone;
  std::vector<size_t> citations;  // indices into Answer::citations
};

struct Answer {
  std::string question;
  std::string way;  // "quotes", "context", "retrieval"
  Note why;         // why this way was taken
  std::string text;
  std::vector<Citation> citations;  // best first
  // How far the text stands on the citations; nothing where no model wrote it.
  std::optional<Support> support = {};
  std::optional<double> confidence = {};  // as ConfidenceOf says; nothing where it is not measured
  std::optional<double> gain = {};  // as WrittenAnswer::gain; nothing where it is not measured
  // As WrittenAnswer::question_gain; nothing where it is not measured.
  std::optional<double> question_gain = {};
  bool not_said = false;  // as IsNotSaid says: the documents most likely do not answer
  std::vector<SentenceSupport> sentences = {};  // of the text
  std::vector<std::string> missing = {};  // numbers and names of the text that no citation holds
  std::vector<Note> notes;                // what the reader should know of the answer
  std::optional<KvLoss> kv_loss;          // of the memory it was read with, where that is known
  double search_seconds = 0;
  double read_seconds = 0;       // the model reading its prompt
  double generate_seconds = 0;   // the model writing
  uint64_t document_tokens = 0;  // of all documents asked, estimated
  uint64_t quoted_tokens = 0;    // of the quotes, estimated
  uint64_t prompt_tokens = 0;    // that the model was given
  uint64_t restored_tokens = 0;  // of the prompt, kept from an earlier reading
  uint64_t generated_tokens = 0;
  uint64_t computed_tokens = 0;      // read and written by the model, whatever it was for
  uint64_t document_characters = 0;  // of all documents asked
  uint64_t read_characters = 0;      // of them, shown to the model (quotes: quoted)
};

// A document that is asked about, and how the user names it.
struct NamedDocument {
  DocumentId id = 0;
  std::string name;
};

}  // namespace tome
