// Llama 2 and 3, Mistral, Qwen2, Qwen2.5 and Qwen3: pre-norm decoders with RoPE, grouped-query
// attention and SwiGLU (Touvron et al., 2023). They differ in what is bound: Qwen2 has biases on Q,
// K and V, Qwen3 normalizes each head of Q and K, Mistral may have a sliding window.
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture LlamaArchitecture();
Architecture MistralArchitecture();  // GGUF files of it are `llama`
Architecture Qwen2Architecture();
Architecture Qwen3Architecture();

}  // namespace tome
