#!/usr/bin/env python3
"""Compares the speed of `tome embed` with sentence-transformers and onnxruntime, in turn.

    bench/embedding/run.py WORK MODEL... [--tome PROGRAM] [--count 500] [--pairs 5] [--threads 2] [--language en|zh|both]

MODEL is a folder of Hugging Face with 1_Pooling (scripts/get-model); WORK a folder outside the repository for the texts
(texts.py). A round runs every system once on the same texts (A B C A B C …). Printed are the medians of the texts and the
tokens a second and of the ratios within each round. Tome's time is that of the whole process with all vectors
printed as JSON; the peers' time is that of the call that embeds, after they have loaded the model and run once. Requires
the packages of requirements.txt.
"""
import argparse
import json
import pathlib
import statistics
import time

import peers
import texts
import tome


def run_tome(options, folder, lines):
    weights = ["--weights", options.weights] if options.weights else []
    begin = time.perf_counter()
    out = tome.embed(options.tome, folder, lines, "--threads", str(options.threads), *weights)
    return time.perf_counter() - begin, out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path, nargs="+", metavar="MODEL")
    parser.add_argument("--tome", default="build/release/bin/tome")
    parser.add_argument("--count", type=int, default=500, help="texts of each language")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", help="of tome; default: its own")
    parser.add_argument("--language", choices=["en", "zh", "both"], default="both")
    parser.add_argument("--peer", action="append", choices=peers.PEERS)
    options = parser.parse_args()
    loaded = texts.load(options.work, options.count)
    lines = [text for language, own in loaded.items() for text in own if options.language in (language, "both")]
    for folder in options.models:
        peers.export_onnx(folder)
        others = {name: peers.PEERS[name](folder, options.threads) for name in options.peer or peers.PEERS}
        for peer in others.values():
            peer.embed(lines[:64])
        tokens = sum(json.loads(run_tome(options, folder, lines)[1])["tokens"])
        rounds = []
        for _ in range(options.pairs):
            seconds = {"tome": run_tome(options, folder, lines)[0]}
            for name, peer in others.items():
                begin = time.perf_counter()
                peer.embed(lines)
                seconds[name] = time.perf_counter() - begin
            rounds.append(seconds)
            print(json.dumps({name: round(value, 3) for name, value in seconds.items()}), flush=True)
        print(f"{folder.name}: {len(lines)} texts, {tokens} tokens")
        for name in rounds[0]:
            median = statistics.median(one[name] for one in rounds)
            line = f"  {name:<22} {len(lines) / median:8.1f} texts/s {tokens / median:9.0f} tokens/s"
            if name != "tome":
                line += f"   tome is {statistics.median(one[name] / one['tome'] for one in rounds):.2f} times as fast"
            print(line, flush=True)


if __name__ == "__main__":
    main()
