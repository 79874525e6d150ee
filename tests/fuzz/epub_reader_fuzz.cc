#include <cstddef>
#include <cstdint>

#include "tests/fuzz/container_target.h"
#include "tome/documents/readers/epub_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::string> names{"1.xhtml",
                                              "nav.xhtml",
                                              "toc.ncx",
                                              "book.opf",
                                              "META-INF/container.xml",
                                              "META-INF/encryption.xml"};
  static const std::vector<tome::ZipEntry> others{
      {"META-INF/container.xml", R"(<container><rootfile full-path="book.opf"/></container>)"},
      {"book.opf",
       R"(<package><metadata><dc:title>t</dc:title></metadata><manifest><item id="1" href="1.xhtml"/>)"
       R"(<item id="2" href="2.xhtml"/><item id="n" href="nav.xhtml" properties="nav"/>)"
       R"(<item id="x" href="toc.ncx"/></manifest><spine toc="x"><itemref idref="1"/>)"
       R"(<itemref idref="2"/></spine></package>)"},
      {"1.xhtml", "<html><body><h1>One</h1><p>first</p><h2>Sub</h2></body></html>"},
      {"2.xhtml", "<html><body><p>Two</p><p>second</p></body></html>"},
      {"toc.ncx",
       R"(<ncx><navMap><navPoint><navLabel><text>One</text></navLabel><content src="1.xhtml"/>)"
       R"(<navPoint><navLabel><text>Two</text></navLabel><content src="2.xhtml#a"/></navPoint>)"
       R"(</navPoint></navMap></ncx>)"},
  };
  return tome::FuzzContainer(tome::ReadEpub, names, others, data, size);
}
