#include <cstddef>
#include <cstdint>

#include "tests/fuzz/container_target.h"
#include "tome/documents/readers/docx_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::string> names{"word/document.xml",
                                              "word/styles.xml",
                                              "word/numbering.xml",
                                              "word/footnotes.xml",
                                              "word/_rels/document.xml.rels",
                                              "docProps/core.xml"};
  static const std::vector<tome::ZipEntry> others{
      {"word/document.xml",
       R"(<w:document><w:body><w:p><w:pPr><w:pStyle w:val="h"/></w:pPr><w:r><w:t>head</w:t>)"
       R"(<w:footnoteReference w:id="1"/></w:r></w:p><w:p><w:pPr><w:numPr><w:ilvl w:val="1"/>)"
       R"(<w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p></w:body></w:document>)"},
      {"word/styles.xml",
       R"(<w:styles><w:style w:styleId="h"><w:name w:val="heading 2"/></w:style></w:styles>)"},
      {"word/numbering.xml",
       R"(<w:numbering><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="1"><w:numFmt w:val="decimal"/>)"
       R"(<w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum><w:num w:numId="1">)"
       R"(<w:abstractNumId w:val="0"/></w:num></w:numbering>)"},
      {"word/footnotes.xml",
       R"(<w:footnotes><w:footnote w:id="1"><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote></w:footnotes>)"},
  };
  return tome::FuzzContainer(tome::ReadDocx, names, others, data, size);
}
