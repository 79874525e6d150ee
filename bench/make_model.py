#!/usr/bin/env python3
"""Writes the model of the speed tables: a 1.1 B Llama shape with random F16 weights, as GGUF (2.2 GB).

  bench/make_model.py 1b-f16.gguf
  build/release/bin/tome convert 1b-f16.gguf 1b-Q4_0.gguf --type q4_0

Speed does not depend on the weights; they are small enough that nothing overflows.
"""
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "integration"))
import tiny_model  # noqa: E402

WIDTH, LAYERS, HEADS, KV_HEADS, HEAD, FFN, VOCABULARY, CONTEXT = 2048, 16, 32, 8, 64, 8192, 32000, 131072
F32, F16, ALIGNMENT = 0, 1, 32
# The upper byte of a half: any sign and two bits of fraction, exponent of 2^-6.
SMALL = bytes((byte & 0x83) | 0x24 for byte in range(256))


def shapes():
    """Name to dimensions, innermost first as GGUF has them."""
    yield "token_embd.weight", (WIDTH, VOCABULARY)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (WIDTH,)
        yield block + "attn_q.weight", (WIDTH, HEADS * HEAD)
        yield block + "attn_k.weight", (WIDTH, KV_HEADS * HEAD)
        yield block + "attn_v.weight", (WIDTH, KV_HEADS * HEAD)
        yield block + "attn_output.weight", (HEADS * HEAD, WIDTH)
        yield block + "ffn_norm.weight", (WIDTH,)
        yield block + "ffn_gate.weight", (WIDTH, FFN)
        yield block + "ffn_up.weight", (WIDTH, FFN)
        yield block + "ffn_down.weight", (FFN, WIDTH)
    yield "output_norm.weight", (WIDTH,)
    yield "output.weight", (WIDTH, VOCABULARY)


def count(dims):
    return dims[0] * (dims[1] if len(dims) > 1 else 1)


def values(dims, generator):
    if len(dims) == 1:
        return struct.pack("<f", 1.0) * dims[0]
    halves = bytearray(2 * count(dims))
    halves[0::2] = generator.randbytes(count(dims))
    halves[1::2] = generator.randbytes(count(dims)).translate(SMALL)
    return halves


def main():
    vocabulary = tiny_model.Vocabulary([f" word{i}" for i in range(VOCABULARY - 259)])
    assert len(vocabulary.pieces) == VOCABULARY
    metadata = {
        "general.architecture": "llama", "general.name": "bench 1.1 B", "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH, "llama.block_count": LAYERS, "llama.feed_forward_length": FFN,
        "llama.attention.head_count": HEADS, "llama.attention.head_count_kv": KV_HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5, "llama.rope.dimension_count": HEAD,
        "llama.rope.freq_base": 500000.0, "llama.vocab_size": VOCABULARY, "general.file_type": 1,
    }
    metadata = {key: tiny_model.scalar(value) for key, value in metadata.items()} | vocabulary.metadata()
    generator = random.Random(1)
    with open(sys.argv[1], "wb") as out:
        tensors = list(shapes())
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
        for key, value in metadata.items():
            out.write(tiny_model.text(key) + value)
        offset = 0
        for name, dims in tensors:
            kind = F32 if len(dims) == 1 else F16
            out.write(tiny_model.text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset))
            offset += (count(dims) * (4 if kind == F32 else 2) + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        for _, dims in tensors:
            out.write(bytes(-out.tell() % ALIGNMENT))
            out.write(values(dims, generator))


if __name__ == "__main__":
    main()
