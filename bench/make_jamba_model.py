#!/usr/bin/env python3
"""Writes a small Jamba with random F16 weights as GGUF (0.2 GB), to compare its speed with
llama.cpp's.

  bench/make_jamba_model.py jamba-f16.gguf
  bench/speed_bench.py --model jamba-f16.gguf --kv f16 --peer 'llama.cpp=llama-bench' --pairs 3

The pattern is that of Jamba-v0.1, smaller. Of 8 layers the fifth attends, and every second one has
experts (8, of which a token takes 2).
"""
import random
import struct
import sys

import make_model
import tiny_model

WIDTH, LAYERS, HEADS, KV_HEADS, FFN, EXPERTS, USED = 512, 8, 8, 2, 1024, 8, 2
INNER, STATES, CONV, RANK = 2 * WIDTH, 16, 4, WIDTH // 16
ATTENDS = 4


def shapes():
    """Yields the name of each tensor with its dimensions, innermost first as in GGUF."""
    head, vocabulary = make_model.HEAD, make_model.VOCABULARY
    yield "token_embd.weight", (WIDTH, vocabulary)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (WIDTH,)
        if layer % 8 == ATTENDS:
            yield block + "attn_q.weight", (WIDTH, HEADS * head)
            yield block + "attn_k.weight", (WIDTH, KV_HEADS * head)
            yield block + "attn_v.weight", (WIDTH, KV_HEADS * head)
            yield block + "attn_output.weight", (HEADS * head, WIDTH)
        else:
            yield block + "ssm_in.weight", (WIDTH, 2 * INNER)
            yield block + "ssm_conv1d.weight", (CONV, INNER)
            yield block + "ssm_conv1d.bias", (INNER,)
            yield block + "ssm_x.weight", (INNER, RANK + 2 * STATES)
            yield block + "ssm_dt_norm.weight", (RANK,)
            yield block + "ssm_b_norm.weight", (STATES,)
            yield block + "ssm_c_norm.weight", (STATES,)
            yield block + "ssm_dt.weight", (RANK, INNER)
            yield block + "ssm_dt.bias", (INNER,)
            yield block + "ssm_a", (STATES, INNER)
            yield block + "ssm_d", (INNER,)
            yield block + "ssm_out.weight", (INNER, WIDTH)
        yield block + "ffn_norm.weight", (WIDTH,)
        if layer % 2 == 1:
            yield block + "ffn_gate_inp.weight", (WIDTH, EXPERTS)
            yield block + "ffn_gate_exps.weight", (WIDTH, FFN, EXPERTS)
            yield block + "ffn_up_exps.weight", (WIDTH, FFN, EXPERTS)
            yield block + "ffn_down_exps.weight", (FFN, WIDTH, EXPERTS)
        else:
            yield block + "ffn_gate.weight", (WIDTH, FFN)
            yield block + "ffn_up.weight", (WIDTH, FFN)
            yield block + "ffn_down.weight", (FFN, WIDTH)
    yield "output_norm.weight", (WIDTH,)
    yield "output.weight", (WIDTH, vocabulary)


def contents(tensors):
    generator = random.Random(1)
    for name, dims in tensors:
        if name.endswith("ssm_a"):
            yield struct.pack(f"<{STATES}f", *(-float(n) for n in range(1, STATES + 1))) * INNER
        elif len(dims) > 1 and make_model.is_f32(name, dims):
            count = make_model.count(dims)
            yield struct.pack(f"<{count}f", *(generator.gauss(0, dims[0] ** -0.5) for _ in range(count)))
        else:
            yield make_model.values(dims, generator)


def write(path):
    first = make_model.FIRST_WORD
    vocabulary = tiny_model.Vocabulary([f" word{i}" for i in range(make_model.VOCABULARY - first)])
    metadata = {
        "general.architecture": "jamba", "general.name": "bench jamba", "jamba.context_length": 262144,
        "jamba.embedding_length": WIDTH, "jamba.block_count": LAYERS, "jamba.feed_forward_length": FFN,
        "jamba.attention.head_count": HEADS, "jamba.attention.layer_norm_rms_epsilon": 1e-6,
        "jamba.ssm.conv_kernel": CONV, "jamba.ssm.inner_size": INNER, "jamba.ssm.state_size": STATES,
        "jamba.ssm.time_step_rank": RANK, "jamba.expert_count": EXPERTS, "jamba.expert_used_count": USED,
        "jamba.vocab_size": make_model.VOCABULARY, "general.file_type": 1,
    }
    metadata = {key: tiny_model.scalar(value) for key, value in metadata.items()} | vocabulary.metadata()
    counts = [KV_HEADS if layer % 8 == ATTENDS else 0 for layer in range(LAYERS)]
    metadata["jamba.attention.head_count_kv"] = tiny_model.array(
        tiny_model.I32, lambda value: struct.pack("<i", value), counts)
    tensors = list(shapes())
    make_model.write_gguf(path, metadata, tensors, contents(tensors))


if __name__ == "__main__":
    write(sys.argv[1])
