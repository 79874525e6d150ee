#include <cstddef>
#include <cstdint>

#include "tests/fuzz/container_target.h"
#include "tome/documents/readers/odt_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::string> names{"content.xml", "meta.xml", "META-INF/manifest.xml"};
  static const std::vector<tome::ZipEntry> others{
      {"content.xml",
       "<office:document-content><office:body><office:text><text:p>p</text:p>"
       "</office:text></office:body></office:document-content>"}};
  return tome::FuzzContainer(tome::ReadOdt, names, others, data, size);
}
