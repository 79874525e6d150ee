#!/usr/bin/env python3
"""Writes a small random Llama whose keys have outlier channels, as those of most trained models do, for `tome bench kv`.

  bench/make_outlier_model.py outliers.gguf                  # four channels of each KV head, 10 times the others
  bench/make_outlier_model.py plain.gguf --channels 0

The scale of an outlier channel is undone in the queries. Every score, and with it the model, is the
same as without outliers, so that only the loss of few bits changes. Attention is sharp and the
output head large, so that losses show.
"""
import argparse
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "integration"))
import tiny_model  # noqa: E402

WIDTH, LAYERS, HEADS, KV_HEADS, HEAD, FFN, CONTEXT = 256, 4, 8, 2, 64, 512, 65536
SHARPNESS = 4.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--channels", type=int, default=4, help="outliers of each KV head; even, for RoPE turns pairs")
    parser.add_argument("--factor", type=float, default=10.0)
    options = parser.parse_args()
    if options.channels % 2 or not 0 <= options.channels <= HEAD:
        parser.error(f"--channels: {options.channels} is no even number of at most {HEAD}")
    generator = random.Random(1)
    vocabulary = tiny_model.Vocabulary([])

    def matrix(rows, columns, scale=lambda row: 1.0):
        values = []
        for row in range(rows):
            deviation = scale(row) * columns ** -0.5
            values += [generator.gauss(0, deviation) for _ in range(columns)]
        return (rows, columns), values

    def outlier(row):  # the last channels of a head rotate most slowly
        return options.factor if row % HEAD >= HEAD - options.channels else 1.0

    ones = ((WIDTH,), [1.0] * WIDTH)
    tensors = {"token_embd.weight": matrix(len(vocabulary.pieces), WIDTH, lambda _: WIDTH ** 0.5)}
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        tensors[block + "attn_norm.weight"] = ones
        tensors[block + "attn_q.weight"] = matrix(HEADS * HEAD, WIDTH, lambda row: SHARPNESS / outlier(row))
        tensors[block + "attn_k.weight"] = matrix(KV_HEADS * HEAD, WIDTH, outlier)
        tensors[block + "attn_v.weight"] = matrix(KV_HEADS * HEAD, WIDTH)
        tensors[block + "attn_output.weight"] = matrix(WIDTH, HEADS * HEAD)
        tensors[block + "ffn_norm.weight"] = ones
        tensors[block + "ffn_gate.weight"] = matrix(FFN, WIDTH)
        tensors[block + "ffn_up.weight"] = matrix(FFN, WIDTH)
        tensors[block + "ffn_down.weight"] = matrix(WIDTH, FFN)
    tensors["output_norm.weight"] = ones
    tensors["output.weight"] = matrix(len(vocabulary.pieces), WIDTH, lambda _: SHARPNESS)
    metadata = {
        "general.architecture": "llama", "llama.context_length": CONTEXT, "llama.embedding_length": WIDTH,
        "llama.block_count": LAYERS, "llama.feed_forward_length": FFN, "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS, "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.attention.key_length": HEAD, "llama.attention.value_length": HEAD, "llama.rope.dimension_count": HEAD,
        "llama.rope.freq_base": 500000.0,
    }
    metadata = {key: tiny_model.scalar(value) for key, value in metadata.items()} | vocabulary.metadata()
    tiny_model.write_gguf(options.out, metadata, tensors)


if __name__ == "__main__":
    main()
