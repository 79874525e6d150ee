#!/usr/bin/env python3
"""How near the vectors of `tome embed` are to those of onnxruntime and sentence-transformers.

    bench/embedding/agreement.py WORK MODEL... [--tome PROGRAM] [--count 500]

MODEL is a folder of Hugging Face with 1_Pooling (scripts/get-model); WORK a folder outside the repository for the texts
(texts.py). For each model, each peer and each type of weights, the least and the mean cosine over the texts of both
languages that fit the model's window. Requires the packages of requirements.txt.
"""
import argparse
import json
import pathlib

import numpy as np
import peers
import texts
import tome


def tome_vectors(options, folder, weights, lines):
    out = json.loads(tome.embed(options.tome, folder, lines, "--weights", weights))
    return np.array(out["embeddings"], dtype=np.float32), out["split"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path, nargs="+", metavar="MODEL")
    parser.add_argument("--tome", default="build/release/bin/tome")
    parser.add_argument("--count", type=int, default=500, help="texts of each language")
    parser.add_argument("--weights", default="stored,q8")
    parser.add_argument("--peer", action="append", choices=peers.PEERS)
    options = parser.parse_args()
    lines = [text for language in texts.load(options.work, options.count).values() for text in language]
    for folder in options.models:
        peers.export_onnx(folder)
        reference = {name: peers.PEERS[name](folder, 2).embed(lines) for name in options.peer or peers.PEERS}
        for weights in options.weights.split(","):
            vectors, split = tome_vectors(options, folder, weights, lines)
            whole = np.setdiff1d(np.arange(len(lines)), split)
            for name, expected in reference.items():
                cosines = (vectors[whole].astype(np.float64) * expected[whole]).sum(1)
                print(f"{folder.name:<20} {weights:<7} {name:<22} texts {len(whole)}: least {cosines.min():.7f}, "
                      f"hundredth {np.quantile(cosines, 0.01):.7f}, mean {cosines.mean():.7f}", flush=True)


if __name__ == "__main__":
    main()
