// The result that Tome gives to a question about documents, whichever way found it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/advice.h"
#include "tome/documents/document.h"
#include "tome/measurements/kv_loss.h"
#include "tome/retrieval/retriever.h"
#include "tome/store/document_store.h"

namespace tome {

// A place in a document that supports the answer. The quote consists of exactly the bytes of `span`
// in the document's text (`tome text`).
struct Citation {
  DocumentId document_id = 0;
  std::string document;                // the file as the user named it, else its first path
  std::optional<int64_t> page;         // empty where the format has no pages
  std::string page_label;              // as printed on the page; may be empty
  std::optional<std::string> section;  // "Part > Chapter"; empty outside any section
  TextSpan span;
  std::string quote;
  double score = 0;       // higher is better; comparable within one answer only
  PlaceRanks ranks = {};  // of the place in each list of the search; empty for a model's evidence
};

// How far an answer stands on its evidence.
enum class Support {
  kSupported,
  kPartly,  // the evidence is the closest in the text; some of the answer may not follow from it
  kNone,    // the answer is the model's own; the evidence only comes nearest
};
std::string_view NameOf(Support support);  // "supported", "partly", "none"

// A sentence of the answer's text and how far its evidence supports it.
struct SentenceSupport {
  TextSpan span;  // in Answer::text
  Support support = Support::kNone;
  std::vector<size_t> citations;  // indices into Answer::citations
};

struct Answer {
  std::string question;
  std::string way;  // NameOf the way that was taken, never "auto" (answer/way.h)
  Note why;         // why this way was taken
  std::string text;
  std::vector<Citation> citations;  // best first
  // How far the text stands on the citations. Empty where no model wrote the text.
  std::optional<Support> support = {};
  std::optional<double> confidence = {};  // ConfidenceOf; empty where it was not measured
  std::optional<double> gain = {};        // WrittenAnswer::gain; empty where it was not measured
  // WrittenAnswer::question_gain. Empty where it was not measured.
  std::optional<double> question_gain = {};
  bool not_said = false;  // IsNotSaid: the documents most likely do not answer
  std::vector<SentenceSupport> sentences = {};  // of `text`
  // Numbers and names in `text` that neither its evidence nor the question holds.
  std::vector<std::string> missing = {};
  std::vector<Note> notes;        // what the reader should know about the answer
  std::optional<KvLoss> kv_loss;  // of the memory that read the prompt, where it is known
  double search_seconds = 0;
  double read_seconds = 0;           // reading the prompt
  double generate_seconds = 0;       // writing the answer
  uint64_t document_tokens = 0;      // of all documents asked, estimated
  uint64_t quoted_tokens = 0;        // of the quotes, estimated
  uint64_t prompt_tokens = 0;        // of the model's prompt
  uint64_t restored_tokens = 0;      // of the prompt, kept from an earlier reading
  uint64_t generated_tokens = 0;     // written by the model
  uint64_t computed_tokens = 0;      // read and written for any purpose
  uint64_t document_characters = 0;  // of all documents asked
  uint64_t read_characters = 0;      // of the documents, shown to the model or quoted
};

// A document that is asked about, with the name that the user gives it.
struct NamedDocument {
  DocumentId id = 0;
  std::string name;
};

}  // namespace tome
