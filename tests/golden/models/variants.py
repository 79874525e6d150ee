"""The configurations of the golden models, in the form that published checkpoints use.

The folder of a variant has the variant's name. The variants in V5 are written by transformers
itself, in the form of its version 5: `rope_parameters` for `rope_theta` and `rope_scaling`, `dtype`
for `torch_dtype`.
"""

VOCABULARY = 64
WINDOW = 64

BASE = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": VOCABULARY, "max_position_embeddings": 1024, "rms_norm_eps": 1e-3,
    "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2,
    "attention_dropout": 0.0, "initializer_range": 0.02, "use_cache": True, "torch_dtype": "float32",
}
ARCHITECTURES = {"llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM",
                 "qwen3": "Qwen3ForCausalLM", "phi3": "Phi3ForCausalLM", "gemma2": "Gemma2ForCausalLM"}


def _config(model_type, **keys):
    return {"architectures": [ARCHITECTURES[model_type]], "model_type": model_type, **BASE, **keys}


def _llama(**keys):
    return _config("llama", **{"attention_bias": False, "mlp_bias": False, "pretraining_tp": 1, "rope_scaling": None, **keys})


def _qwen2(**keys):
    # Published Qwen2 configurations carry a window and the flag that forbids it.
    return _config("qwen2", **{"use_sliding_window": False, "sliding_window": WINDOW, "max_window_layers": 1,
                               "rope_theta": 100000.0, **keys})


def _qwen3(**keys):
    return _config("qwen3", **{"attention_bias": False, "head_dim": 32, "use_sliding_window": False, "sliding_window": None,
                               "max_window_layers": 3, "rope_scaling": None, "rope_theta": 1000000.0, **keys})


def _phi3(**keys):
    return _config("phi3", **{"attention_bias": False, "embd_pdrop": 0.0, "resid_pdrop": 0.0, "sliding_window": None,
                              "pad_token_id": 0, "original_max_position_embeddings": 1024, "rope_scaling": None, **keys})


LONG_FACTOR = [1.0, 1.3, 1.9, 2.8, 4.1, 6.0, 7.5, 8.0]
SHORT_FACTOR = [1.0, 1.05, 1.1, 1.2, 1.35, 1.5, 1.7, 2.0]
LONGROPE = {"type": "longrope", "long_factor": LONG_FACTOR, "short_factor": SHORT_FACTOR}

VARIANTS = {
    "llama": _llama(),
    "llama-linear": _llama(rope_scaling={"type": "linear", "factor": 4.0}),
    "llama-dynamic": _llama(rope_scaling={"type": "dynamic", "factor": 4.0}, max_position_embeddings=128),
    # 1024 is long enough for both ends of YaRN's ramp to lie inside the channels, at 1 and 5 of 8.
    "llama-yarn": _llama(rope_scaling={"type": "yarn", "factor": 8.0, "original_max_position_embeddings": 1024},
                         max_position_embeddings=8192),
    "llama-llama3": _llama(rope_theta=50000.0,
                           rope_scaling={"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                         "original_max_position_embeddings": 128, "rope_type": "llama3"}),
    "llama-tied": _llama(tie_word_embeddings=True),
    "llama-bias": _llama(attention_bias=True),
    "llama-head-dim": _llama(head_dim=32),
    "mistral": _config("mistral", sliding_window=WINDOW),
    "qwen2": _qwen2(),
    "qwen2-tied": _qwen2(tie_word_embeddings=True),
    "qwen2-yarn": _qwen2(rope_scaling={"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}),
    "qwen3": _qwen3(tie_word_embeddings=True),
    "qwen3-yarn": _qwen3(rope_scaling={"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 64}),
    "phi3": _phi3(),
    "phi3-window": _phi3(sliding_window=WINDOW),
    # 512 tokens are more than 128, so the long factors apply; they are fewer than 768, so the short
    # factors apply in the second variant.
    "phi3-longrope-long": _phi3(rope_scaling=LONGROPE, original_max_position_embeddings=128),
    "phi3-longrope-short": _phi3(rope_scaling=LONGROPE, original_max_position_embeddings=768, max_position_embeddings=3072),
    "phi3-partial": _phi3(partial_rotary_factor=0.75),
    "gemma2": _config("gemma2", num_hidden_layers=4, head_dim=32, rms_norm_eps=0.01, query_pre_attn_scalar=8,
                      sliding_window=WINDOW, attn_logit_softcapping=8.0, final_logit_softcapping=10.0, hidden_act="gelu_pytorch_tanh",
                      hidden_activation="gelu_pytorch_tanh", attention_bias=False, cache_implementation="hybrid",
                      pad_token_id=0, bos_token_id=2, eos_token_id=1),
}
del VARIANTS["gemma2"]["tie_word_embeddings"]  # absent in published files; gemma2's default is true
V5 = ("llama-tied", "qwen3-yarn", "phi3-partial")

# make_long_golden.py computes these, as transformers does not implement Dual Chunk Attention.
LONG_VARIANTS = {
    # Chunks have 128 tokens, so 512 tokens are four chunks, about three times the trained length.
    "qwen2-dca": _qwen2(dual_chunk_attention_config={"chunk_size": 144, "local_size": 16,
                                                     "original_max_position_embeddings": 160}),
}
