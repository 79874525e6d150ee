#!/usr/bin/env python3
"""Shows that gemma2 differs from llama.cpp only because of ggml's table of GELU.

    check_gelu_table.py

ggml's CPU backend rounds the argument of a float32 GELU to float16 and takes a float16 result from
a table. Here transformers' gemma2 gets the same activation. After one to five tokens no argument
lies so close to a rounding boundary that the last bits of float32 decide its rounding. Both then
agree as well as for the other architectures. In longer prefixes such an argument can round to the
other side, which is assumed to explain the remaining difference.

Prints a row's difference relative to its largest logit for each prefix, without and with the table.
Exit status: 0 when short prefixes agree only with the table, else 1. Requires the packages of
make_golden.py and make_gguf_golden.py.
"""

import json
import pathlib

import numpy as np
import safetensors.numpy
import torch

import make_golden
import make_gguf_golden

FOLDER = pathlib.Path(__file__).resolve().parent / "gemma2"
SHORT = 5


class TableGelu(torch.nn.Module):
    def forward(self, x):
        y = torch.nn.functional.gelu(x.half().float(), approximate="tanh").half().float()
        return torch.where(x <= -10, torch.zeros_like(x), torch.where(x >= 10, x, y))


def main():
    model = make_golden.build(json.loads((FOLDER / "config.json").read_text()))
    tokens = safetensors.numpy.load_file(FOLDER / "golden.safetensors")["tokens"]
    peer = safetensors.numpy.load_file(FOLDER / "llama_cpp.safetensors")

    def difference():
        rows = make_golden.logits(model, tokens)[peer["lengths"] - 1]
        return np.abs(peer["logprobs"] - make_gguf_golden.log_softmax(rows)).max(axis=1) / np.abs(rows).max(axis=1)

    plain = difference()
    for layer in model.model.layers:
        layer.mlp.act_fn = TableGelu()
    table = difference()
    for row in zip(peer["lengths"], plain, table):
        print("%4d tokens: %.1e, with the table %.1e" % row)
    short = peer["lengths"] <= SHORT
    raise SystemExit(0 if table[short].max() < 2e-6 < 1e-4 < plain[short].min() else 1)


if __name__ == "__main__":
    main()
