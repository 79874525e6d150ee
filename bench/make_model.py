#!/usr/bin/env python3
"""Writes a Llama model with random F16 weights as GGUF: the 1.1 B shape of the speed tables (2.2 GB), or another.

  bench/make_model.py 1b-f16.gguf
  build/release/bin/tome convert 1b-f16.gguf 1b-Q4_0.gguf --type q4_0
  bench/make_model.py small-f16.gguf --shape small

Weights are small enough that nothing overflows. Speed does not depend on them where attention is
exact, but they make attention nearly uniform. With --sharp S every query is S times the key of its
own token, and words of one topic have half of their embedding in common. Tokens then attend to
equal tokens, and to others of their topic, as peaked as in trained models. On a text of
bench/make_topic_text.py this measures how much sparse attention leaves out.
"""
import argparse
import math
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "integration"))
import tiny_model  # noqa: E402

HEAD, VOCABULARY = 64, 32000
SHAPES = {
    "1.1b": {"layers": 16, "width": 2048, "heads": 32, "kv_heads": 8, "ffn": 8192},
    "small": {"layers": 2, "width": 512, "heads": 8, "kv_heads": 2, "ffn": 2048},
}
# The token of " word0", and the number of words of a topic, which follow each other.
FIRST_WORD, TOPIC = 259, 496
F32, F16, ALIGNMENT = 0, 1, 32
# The upper byte of a half has any sign, two bits of fraction and the exponent of 2^-6.
SMALL = bytes((byte & 0x83) | 0x24 for byte in range(256))


def shapes(shape):
    """Yields the name of each tensor with its dimensions, innermost first as in GGUF."""
    width, ffn, queries, keys = shape.width, shape.ffn, shape.heads * HEAD, shape.kv_heads * HEAD
    yield "token_embd.weight", (width, VOCABULARY)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (width,)
        yield block + "attn_q.weight", (width, queries)
        yield block + "attn_k.weight", (width, keys)
        yield block + "attn_v.weight", (width, keys)
        yield block + "attn_output.weight", (queries, width)
        yield block + "ffn_norm.weight", (width,)
        yield block + "ffn_gate.weight", (width, ffn)
        yield block + "ffn_up.weight", (width, ffn)
        yield block + "ffn_down.weight", (ffn, width)
    yield "output_norm.weight", (width,)
    yield "output.weight", (width, VOCABULARY)


def count(dims):
    return math.prod(dims)


def halves(number, generator):
    """Returns small random F16 numbers."""
    content = bytearray(2 * number)
    content[0::2] = generator.randbytes(number)
    content[1::2] = generator.randbytes(number).translate(SMALL)
    return content


def values(dims, generator):
    if len(dims) == 1:
        return struct.pack("<f", 1.0) * dims[0]
    return halves(count(dims), generator)


def sharp_queries(keys, shape, factor):
    """Returns the queries of each head: `factor` times the keys of its group."""
    head = HEAD * shape.width
    values = struct.unpack(f"<{len(keys) // 2}e", keys)
    scaled = struct.pack(f"<{len(values)}e", *(factor * value for value in values))
    group = shape.heads // shape.kv_heads
    return b"".join(scaled[2 * head * k:2 * head * (k + 1)] * group for k in range(shape.kv_heads))


def embeddings_by_topic(embeddings, width, generator):
    """Replaces the first half of each word's embedding by that of its topic."""
    topics = [values((width // 2, 1), generator) for _ in range(-(-VOCABULARY // TOPIC))]
    for word in range(VOCABULARY - FIRST_WORD):
        at = 2 * width * (FIRST_WORD + word)
        embeddings[at:at + width] = topics[word // TOPIC]
    return embeddings


def contents(tensors, shape, sharp):
    """Yields the bytes of each tensor, in order."""
    generator = random.Random(1)
    keys = None
    for name, dims in tensors:
        if sharp and name.endswith("attn_q.weight"):
            keys = values((shape.width, shape.kv_heads * HEAD), generator)
            yield sharp_queries(keys, shape, sharp)
        elif sharp and name.endswith("attn_k.weight"):
            yield keys
        elif sharp and name == "token_embd.weight":
            yield embeddings_by_topic(values(dims, generator), shape.width, generator)
        else:
            yield values(dims, generator)


def is_f32(name, dims):
    return len(dims) == 1 or name.endswith(("ssm_a", "ssm_conv1d.weight", "ffn_gate_inp.weight"))


def write_gguf(path, metadata, tensors, contents):
    """Writes a GGUF file. `contents` are the bytes of each tensor, in order."""
    with open(path, "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
        for key, value in metadata.items():
            out.write(tiny_model.text(key) + value)
        offset = 0
        for name, dims in tensors:
            kind = F32 if is_f32(name, dims) else F16
            out.write(tiny_model.text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset))
            offset += (count(dims) * (4 if kind == F32 else 2) + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        for content in contents:
            out.write(bytes(-out.tell() % ALIGNMENT))
            out.write(content)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--shape", choices=SHAPES, default="1.1b", help="what the following change (heads are of 64)")
    for name in SHAPES["1.1b"]:
        parser.add_argument("--" + name.replace("_", "-"), type=int)
    parser.add_argument("--context", type=int, default=131072, help="tokens that the model says it was made for")
    parser.add_argument("--sharp", type=float, metavar="S", help="queries are S times the keys of their group")
    options = parser.parse_args()
    for name, value in SHAPES[options.shape].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.heads % options.kv_heads:
        parser.error(f"--heads: {options.heads} is no multiple of --kv-heads {options.kv_heads}")
    return options


def main():
    options = parse()
    vocabulary = tiny_model.Vocabulary([f" word{i}" for i in range(VOCABULARY - FIRST_WORD)])
    assert len(vocabulary.pieces) == VOCABULARY
    name = "bench 1.1 B" if options.shape == "1.1b" and options.layers == 16 else "bench"
    metadata = {
        "general.architecture": "llama", "general.name": name, "llama.context_length": options.context,
        "llama.embedding_length": options.width, "llama.block_count": options.layers,
        "llama.feed_forward_length": options.ffn, "llama.attention.head_count": options.heads,
        "llama.attention.head_count_kv": options.kv_heads, "llama.attention.key_length": HEAD,
        "llama.attention.value_length": HEAD, "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": HEAD, "llama.rope.freq_base": 500000.0, "llama.vocab_size": VOCABULARY,
        "general.file_type": 1,
    }
    metadata = {key: tiny_model.scalar(value) for key, value in metadata.items()} | vocabulary.metadata()
    tensors = list(shapes(options))
    write_gguf(options.out, metadata, tensors, contents(tensors, options, options.sharp))


if __name__ == "__main__":
    main()
