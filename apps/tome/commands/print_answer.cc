#include "commands/print_answer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "advice.h"
#include "terminal.h"

namespace tome {
namespace {

std::string PlaceOf(const Citation& citation) {
  std::string place = citation.document;
  if (citation.page) {
    place += fmt::format(", page {}", *citation.page);
    if (!citation.page_label.empty() && citation.page_label != std::to_string(*citation.page)) {
      place += fmt::format(" (printed {})", citation.page_label);
    }
  }
  if (citation.section) place += fmt::format(", {}", *citation.section);
  return place;
}

// Prints how much of the documents the model read.
void PrintRead(const Answer& answer) {
  const double share = answer.document_characters == 0
                           ? 0
                           : 100.0 * static_cast<double>(answer.read_characters) /
                                 static_cast<double>(answer.document_characters);
  PrintNote(
      fmt::format("the model read {} of {} characters ({:.1f} %), {} tokens with the question",
                  answer.read_characters, answer.document_characters, share, answer.prompt_tokens));
  if (answer.restored_tokens > 0) {
    PrintNote(
        fmt::format("{} of the tokens were kept from an earlier reading", answer.restored_tokens));
  }
}

enum class Separated { kAll, kNotFirst };

// Returns "by words 3 (7.214), by meaning 1 (0.812), together 1 (0.933)".
std::string RanksOf(const Citation& citation) {
  std::string text;
  const PlaceRanks& ranks = citation.ranks;
  for (const auto& [name, list] :
       {std::pair("by words", ranks.lexical), std::pair("by meaning", ranks.dense),
        std::pair("together", ranks.fused), std::pair("reranked", ranks.reranked)}) {
    if (!list) continue;
    text +=
        fmt::format("{}{} {} ({:.3f})", text.empty() ? "" : ", ", name, list->rank, list->score);
  }
  return text;
}

void PrintCitations(const Answer& answer, Separated separated, Explained explained) {
  bool first = separated == Separated::kNotFirst;
  int number = 0;
  for (const Citation& citation : answer.citations) {
    const std::string mark = fmt::format("[{}]", ++number);
    fmt::print("{}{} {}\n{}", first ? "" : "\n", Styled(mark, Style::kBold, STDOUT_FILENO),
               Styled(PrintableLine(PlaceOf(citation)), Style::kCyan, STDOUT_FILENO),
               Wrapped(Printable(citation.quote), "    "));
    if (explained == Explained::kRanks) fmt::print("    ({})\n", RanksOf(citation));
    first = false;
  }
}

// Prints an answer that may be wrong, with the quotes of the documents first.
void PrintDoubtful(const Answer& answer, Explained explained) {
  if (answer.citations.empty()) {
    fmt::print("{}\n", answer.text.empty()
                           ? "Nothing was found in the documents."
                           : fmt::format("Nothing was found in the documents. The model says: {}",
                                         Printable(answer.text)));
    return;
  }
  fmt::print("{}\n\n", answer.support == Support::kPartly ? "The closest that the documents say:"
                       : answer.not_said
                           ? "The documents do not seem to say. What comes nearest:"
                           : "The model could not answer from the documents. What comes nearest:");
  PrintCitations(answer, Separated::kNotFirst, explained);
  if (answer.text.empty()) return;
  fmt::print("\n{}\n{}",
             answer.support == Support::kPartly ? "The model's answer from it, which may be wrong:"
                                                : "The model's own words, which stand on nothing:",
             Wrapped(Printable(answer.text), "    "));
}

// Returns notes on the parts of the answer that are not in its evidence.
std::vector<std::string> SupportNotes(const Answer& answer, AnswerText text) {
  std::vector<std::string> notes;
  if (!answer.missing.empty()) {
    notes.push_back(fmt::format("not in what is quoted: {}", fmt::join(answer.missing, ", ")));
  }
  if (text == AnswerText::kPrintedAlready && answer.support && !answer.text.empty() &&
      *answer.support != Support::kSupported) {
    notes.emplace_back(*answer.support == Support::kPartly
                           ? "parts of the answer are not supported by the documents"
                           : "the documents do not support the answer");
  }
  return notes;
}

}  // namespace

void PrintAnswer(const Answer& answer, AnswerText text, Explained explained) {
  const bool by_model = answer.way != "quotes";
  if (!by_model) {
    PrintCitations(answer, Separated::kNotFirst, explained);
  } else if (text == AnswerText::kPrintedAlready || answer.support == Support::kSupported) {
    if (text == AnswerText::kPrint) fmt::print("{}", Printable(answer.text));
    fmt::print("\n");
    PrintCitations(answer, Separated::kAll, explained);
  } else {
    PrintDoubtful(answer, explained);
  }
  std::fflush(stdout);  // before the notes, where both go to one terminal
  for (const std::string& note : SupportNotes(answer, text)) PrintNote(note);
  for (const Note& note : answer.notes) PrintNote(Worded(note));
  if (by_model) PrintRead(answer);
}

TextSink PrintingSink() {
  return [](std::string_view text) {
    fmt::print("{}", Printable(text));
    std::fflush(stdout);
    return true;
  };
}

}  // namespace tome
