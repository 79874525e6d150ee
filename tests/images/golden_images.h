// Reads the images of tests/golden/images, which Pillow and transformers made.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/temp_folder.h"
#include "tome/formats/checkpoint.h"
#include "tome/images/image.h"

namespace tome {

inline std::filesystem::path GoldenImagesFolder() {
  return std::filesystem::path(TOME_SOURCE_DIR) / "tests/golden/images";
}

inline const Checkpoint& GoldenImages() {
  static const Checkpoint file = Checkpoint::Open(GoldenImagesFolder() / "golden.safetensors");
  return file;
}

// Returns the names of tensors that begin with these words, without them.
inline std::vector<std::string> GoldenNames(std::string_view words) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : GoldenImages().tensors()) {
    if (name.starts_with(words)) names.push_back(name.substr(words.size()));
  }
  return names;
}

inline Image GoldenImage(const std::string& name) {
  const TensorView* const tensor = GoldenImages().Find(name);
  if (tensor == nullptr) return {};
  const auto* const bytes = reinterpret_cast<const uint8_t*>(tensor->data);
  return {.width = tensor->shape[1],
          .height = tensor->shape[0],
          .rgb = {bytes, bytes + tensor->shape.elements()}};
}

// Returns how far the worst value of two images of the same size differs; 256 for other sizes.
inline int WorstDifference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height) return 256;
  int worst = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) worst = std::max(worst, std::abs(a.rgb[i] - b.rgb[i]));
  return worst;
}

inline std::string GoldenFile(const std::string& name) {
  return FileBytes(GoldenImagesFolder() / "files" / name);
}

inline std::span<const std::byte> BytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace tome
