// Reads any bytes as the files that sentence-transformers puts beside a model. The input is cut at
// NUL bytes into modules.json and the files that it may name. They give an Error, or settings within
// their limits.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tome/base/error.h"
#include "tome/embed/sentence_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::map<std::string, std::string> files;
  for (const char* name : {"modules.json", "1_Pooling/config.json", "2_Dense/config.json",
                           "config_sentence_transformers.json", "sentence_bert_config.json"}) {
    const size_t end = rest.find('\0');
    files[name] = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  try {
    const tome::SentenceFiles read = tome::ReadSentenceFiles([&](const std::string& name) {
      TOME_CHECK(name.find("..") == std::string::npos && !name.starts_with('/'));
      const auto found = files.find(name);
      return found == files.end() ? std::string() : found->second;
    });
    TOME_CHECK(!read.max_tokens || *read.max_tokens >= 1);
    for (const tome::DenseModule& dense : read.dense) TOME_CHECK(dense.in >= 1 && dense.out >= 1);
  } catch (const tome::Error& error) {
    TOME_CHECK(error.code() == tome::Code::kCorrupt || error.code() == tome::Code::kUnsupported);
  }
  return 0;
}
