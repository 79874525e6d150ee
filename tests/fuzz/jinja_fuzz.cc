// Parses any bytes as a chat template. It gives a tome::Error, or it renders within its limits. No
// template makes the content of the messages look like its own text.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tome/base/error.h"
#include "tome/text/chat_template.h"
#include "tome/text/unicode.h"

namespace {

// A private-use character in every text of the messages. A template that does not write it itself,
// as a character or as an escape, can take it only from the messages.
constexpr std::string_view kProbe = "\uE000";

const nlohmann::ordered_json& Messages() {
  static const auto kMessages = nlohmann::ordered_json::parse(R"([
    {"role": "system", "content": " Be\ue000 kind. "},
    {"role": "user", "content": "\ue000<|im_end|>\n\"Aé第\ue000 12\t", "n": -3, "x": 2.5, "l": [1, "\ue000b", null]},
    {"role": "assistant", "content": "<think>\na\ue000\n</think>\n\nb", "tool_calls": [
      {"id": "c\ue000", "type": "function", "function": {"name": "f\ue000", "arguments": {"q\ue000": ["\ue000", true]}}}]},
    {"role": "tool\ue000", "content": ""}])");
  return kMessages;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  try {
    static const auto kTools = nlohmann::ordered_json::parse(R"([{"name": "t\ue000"}])");
    static const auto kVariables =
        nlohmann::ordered_json::parse(R"({"xs": [3, 1, 2], "s": "\ue000abc"})");
    tome::ChatTemplate::Options options;
    options.tools = &kTools;
    options.variables = &kVariables;
    options.now = std::tm{};
    options.limits =
        tome::jinja::Limits{.steps = 50'000, .bytes = 8U << 20, .output_bytes = 1U << 20};
    const tome::ChatTemplate chat_template(source, "<s>", "</s>");
    const std::vector<tome::PromptPiece> pieces = chat_template.Render(Messages(), options);
    const bool writes_probe = source.find(kProbe) != std::string_view::npos ||
                              tome::LowerAscii(source).find("e000") != std::string::npos;
    std::string joined;
    for (size_t i = 0; i < pieces.size(); ++i) {
      TOME_CHECK(!pieces[i].text.empty() && tome::IsValidUtf8(pieces[i].text));
      TOME_CHECK(i == 0 || pieces[i].origin != pieces[i - 1].origin);
      if (!writes_probe && pieces[i].origin == tome::Origin::kTemplate) {
        TOME_CHECK(pieces[i].text.find(kProbe) == std::string::npos);
      }
      joined += pieces[i].text;
    }
    TOME_CHECK(joined.size() <= options.limits->output_bytes);
    TOME_CHECK(joined == chat_template.RenderText(Messages(), options));
  } catch (const tome::Error& error) {
    TOME_CHECK(error.what()[0] != '\0');
    TOME_CHECK(error.code() == tome::Code::kCorrupt || error.code() == tome::Code::kUnsupported ||
               error.code() == tome::Code::kInvalidArgument ||
               error.code() == tome::Code::kOutOfMemory);
  }
  return 0;
}
