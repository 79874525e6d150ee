// Makes random documents for property tests in the way that readers do.
#pragma once

#include <random>
#include <string>
#include <utility>

#include "tests/random_text.h"
#include "tome/documents/document.h"
#include "tome/documents/document_builder.h"

namespace tome {

inline Document RandomDocument(std::mt19937& random) {
  DocumentBuilder builder("html");
  const auto text = [&](size_t most) { return RandomText(random, random() % most); };
  builder.SetTitle(text(5));
  builder.SetEncoding("GB18030");
  const auto calls = random() % 60;
  for (uint64_t i = 0; i < calls; ++i) {
    switch (random() % 12) {
      case 0:
      case 1:
        builder.Heading(static_cast<int>(1 + random() % 4), text(6));
        break;
      case 2:
        builder.BeginSection(static_cast<int>(1 + random() % 4), text(4));
        break;
      case 3:
        builder.BeginPage(text(2));
        break;
      case 4:
        builder.ContinueParagraph(text(30), random() % 2 == 0 ? " " : "");
        break;
      case 5:
      case 6:
        builder.Line(text(30));
        break;
      case 7:
        builder.EndBlock();
        break;
      case 8:
        builder.AddNote(text(5));
        break;
      default:
        builder.Paragraph(text(random() % 10 == 0 ? 400 : 40));
        break;
    }
  }
  Document document = std::move(builder).Finish();
  if (random() % 3 == 0) document.line_breaks = LineBreaks::kSoft;
  return document;
}

}  // namespace tome
