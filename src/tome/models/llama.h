// Llama 2 and 3, Mistral, Qwen2, Qwen2.5 and Qwen3 are pre-norm decoders with RoPE, grouped-query
// attention and SwiGLU (Touvron et al., 2023). They differ in a few tensors and settings: Qwen2 has
// biases on Q, K and V, Qwen3 normalizes each head of Q and K, and Mistral may have a sliding
// window.
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture LlamaArchitecture();
Architecture MistralArchitecture();  // its GGUF files are `llama`
Architecture Qwen2Architecture();
Architecture Qwen3Architecture();

}  // namespace tome
