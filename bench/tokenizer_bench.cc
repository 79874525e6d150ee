// Measures the throughput of the tokenizers on one core, in MB (10^6 bytes of UTF-8) a second.
//
//   tokenizer_bench MODEL.gguf… -- TEXT…
//
// Each text is encoded as a whole, again and again for a second, and the best time counts. A line
// for each vocabulary and text gives MB/s, tokens, bytes a token, and the MB/s of decoding. It ends
// in "round trip" where decoding gives the text back, and in "lossy" otherwise.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tome/models/tokenizer_of.h"
#include "tome/models/vocabulary.h"

namespace {

struct Text {
  std::string name;
  std::string bytes;
};

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void Measure(const tome::Tokenizer& tokenizer, const std::string& model, const Text& text) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  std::vector<tome::TokenId> ids;
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    ids = tokenizer.Encode(text.bytes, tome::Specials::kLiteral, {.add_special = false});
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  } while (Clock::now() - begin < std::chrono::seconds(1));
  const auto start = Clock::now();
  const bool same = tokenizer.Decode(ids) == text.bytes;
  const double decoding = std::chrono::duration<double>(Clock::now() - start).count();
  const auto bytes = static_cast<double>(text.bytes.size());
  fmt::print(
      "{:<34} {:<20} {:>6.1f} MB/s  {:>8} tokens  {:>5.2f} bytes a token  decode {:>5.0f} MB/s  "
      "{}\n",
      model, text.name, bytes / 1e6 / best, ids.size(), bytes / static_cast<double>(ids.size()),
      bytes / 1e6 / decoding, same ? "round trip" : "lossy");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::vector<std::string> models;
    std::vector<Text> texts;
    bool is_text = false;
    for (int i = 1; i < argc; ++i) {
      const std::string argument = argv[i];
      if (argument == "--") {
        is_text = true;
      } else if (is_text) {
        texts.push_back({std::filesystem::path(argument).filename().string(), ReadFile(argument)});
      } else {
        models.push_back(argument);
      }
    }
    for (const std::string& model : models) {
      const auto tokenizer = tome::TokenizerOf(tome::Checkpoint::Open(model));
      for (const Text& text : texts) {
        if (text.bytes.empty()) throw std::runtime_error(text.name + ": empty or missing");
        Measure(*tokenizer, std::filesystem::path(model).filename().string(), text);
      }
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "tokenizer_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
