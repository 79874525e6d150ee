#include "commands/print_answer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

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

// What the model saw of the documents.
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

}  // namespace

void PrintAnswer(const Answer& answer, AnswerText text) {
  const bool quotes = answer.way == "quotes";
  if (!quotes) {
    if (text == AnswerText::kPrint) fmt::print("{}", Printable(answer.text));
    fmt::print("\n");
  }
  bool first = quotes;
  int number = 0;
  for (const Citation& citation : answer.citations) {
    const std::string mark = fmt::format("[{}]", ++number);
    fmt::print("{}{} {}\n{}", first ? "" : "\n", Styled(mark, Style::kBold, STDOUT_FILENO),
               Styled(PrintableLine(PlaceOf(citation)), Style::kCyan, STDOUT_FILENO),
               Wrapped(Printable(citation.quote), "    "));
    first = false;
  }
  std::fflush(stdout);  // before the notes, where both go to one terminal
  for (const Note& note : answer.notes) PrintNote(Worded(note));
  if (!quotes) PrintRead(answer);
}

TextSink PrintingSink() {
  return [](std::string_view text) {
    fmt::print("{}", Printable(text));
    std::fflush(stdout);
    return true;
  };
}

}  // namespace tome
