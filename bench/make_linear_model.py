#!/usr/bin/env python3
"""Writes a model of about 100 M parameters whose memory has a constant size, with random F16 weights, as a folder of
safetensors (0.2 GB).

  bench/make_linear_model.py retnet retnet-100m
  bench/make_linear_model.py infini infini-100m
  bench/make_linear_model.py mamba2 mamba2-100m
  build/release/bin/tome bench speed --model retnet-100m --depth 4096,1048576

Speed does not depend on the weights; they are small enough that nothing overflows.
"""
import argparse
import json
import math
import pathlib
import random
import struct

import make_model
import tiny_model

WIDTH, LAYERS, VOCABULARY = 768, 12, 32000


def retnet():
    """Returns the default shape of torchscale: 3 heads, keys of 256 channels and values of 426."""
    values, ffn = 1278, 1280
    config = {
        "model_type": "retnet", "vocab_size": VOCABULARY, "decoder_embed_dim": WIDTH, "decoder_value_embed_dim": values,
        "decoder_retention_heads": 3, "decoder_ffn_embed_dim": ffn, "decoder_layers": LAYERS, "activation_fn": "swish",
        "share_decoder_input_output_embed": True,
    }
    shapes = {"embed_tokens.weight": (VOCABULARY, WIDTH), "layer_norm.weight": (WIDTH,)}
    for i in range(LAYERS):
        layer = f"layers.{i}."
        for name, rows in (("q", WIDTH), ("k", WIDTH), ("v", values), ("g", values)):
            shapes[f"{layer}retention.{name}_proj.weight"] = (rows, WIDTH)
        shapes[layer + "retention.out_proj.weight"] = (WIDTH, values)
        shapes[layer + "retention_layer_norm.weight"] = (WIDTH,)
        shapes[layer + "ffn.fc1.weight"] = (ffn, WIDTH)
        shapes[layer + "ffn.gate.weight"] = (ffn, WIDTH)
        shapes[layer + "ffn.fc2.weight"] = (WIDTH, ffn)
        shapes[layer + "final_layer_norm.weight"] = (WIDTH,)
    return config, shapes


def infini():
    """Returns a Llama with 6 heads of 128, in segments of 2048 tokens as in the paper."""
    heads, size, ffn = 6, 128, 2048
    config = {
        "model_type": "infini_llama", "vocab_size": VOCABULARY, "hidden_size": WIDTH, "intermediate_size": ffn,
        "num_hidden_layers": LAYERS, "num_attention_heads": heads, "num_key_value_heads": heads, "head_dim": size,
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True,
        "infini": {"segment_length": 2048, "update": "linear"},
    }
    shapes = {"model.embed_tokens.weight": (VOCABULARY, WIDTH), "model.norm.weight": (WIDTH,)}
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        for name in "qkv":
            shapes[f"{layer}self_attn.{name}_proj.weight"] = (heads * size, WIDTH)
        shapes[layer + "self_attn.o_proj.weight"] = (WIDTH, heads * size)
        shapes[layer + "self_attn.gate"] = (heads,)
        shapes[layer + "mlp.gate_proj.weight"] = (ffn, WIDTH)
        shapes[layer + "mlp.up_proj.weight"] = (ffn, WIDTH)
        shapes[layer + "mlp.down_proj.weight"] = (WIDTH, ffn)
        shapes[layer + "input_layernorm.weight"] = (WIDTH,)
        shapes[layer + "post_attention_layernorm.weight"] = (WIDTH,)
    return config, shapes


def mamba2():
    """Returns the shape of the 130M model: 24 heads of 64, a state of 128."""
    size, state, conv, layers = 64, 128, 4, 2 * LAYERS
    inner = 2 * WIDTH
    heads = inner // size
    config = {
        "model_type": "mamba2", "architectures": ["Mamba2ForCausalLM"], "vocab_size": VOCABULARY, "hidden_size": WIDTH,
        "num_hidden_layers": layers, "num_heads": heads, "head_dim": size, "state_size": state, "n_groups": 1,
        "conv_kernel": conv, "expand": 2, "hidden_act": "silu", "layer_norm_epsilon": 1e-5, "rms_norm": True,
        "time_step_limit": [0.0, 1e9], "use_bias": False, "use_conv_bias": True, "tie_word_embeddings": True,
    }
    shapes = {"backbone.embeddings.weight": (VOCABULARY, WIDTH), "backbone.norm_f.weight": (WIDTH,)}
    for i in range(layers):
        layer = f"backbone.layers.{i}."
        shapes[layer + "norm.weight"] = (WIDTH,)
        for name in ("A_log", "D", "dt_bias"):
            shapes[f"{layer}mixer.{name}"] = (heads,)
        shapes[layer + "mixer.conv1d.weight"] = (inner + 2 * state, 1, conv)
        shapes[layer + "mixer.conv1d.bias"] = (inner + 2 * state,)
        shapes[layer + "mixer.in_proj.weight"] = (2 * inner + 2 * state + heads, WIDTH)
        shapes[layer + "mixer.norm.weight"] = (inner,)
        shapes[layer + "mixer.out_proj.weight"] = (WIDTH, inner)
    return config, shapes


def tokenizer():
    """Returns a tokenizer with a token for each byte."""
    return tiny_model.byte_level_tokenizer({letter: byte for byte, letter in tiny_model.byte_letters().items()}, [])


def values_of(shape, generator):
    if len(shape) == 1:
        return struct.pack("<e", 1.0) * shape[0]
    return make_model.halves(math.prod(shape), generator)


def write(kind, folder):
    config, shapes = {"retnet": retnet, "infini": infini, "mamba2": mamba2}[kind]()
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    header, offset = {}, 0
    for name, shape in shapes.items():
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + 2 * math.prod(shape)]}
        offset += 2 * math.prod(shape)
    text = json.dumps(header).encode()
    generator = random.Random(1)
    with open(folder / "model.safetensors", "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for shape in shapes.values():
            out.write(values_of(shape, generator))


def main():
    global WIDTH, LAYERS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["retnet", "infini", "mamba2"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--small", action="store_true", help="two layers of 96 channels, to read a lot soon")
    options = parser.parse_args()
    if options.small:
        WIDTH, LAYERS = 96, 2
    write(options.kind, options.folder)


if __name__ == "__main__":
    main()
