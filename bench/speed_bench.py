#!/usr/bin/env python3
"""Compares tokens a second of tome and of peers with llama.cpp's llama-bench, in turn.

  bench/speed_bench.py --model M.gguf --peer llama.cpp=/path/to/llama-bench [--peer NAME=…]
                       [--prompt 512] [--generate 16] [--depth 0] [--kv f16] [--pairs 5]

All run on one machine. A round runs tome and then every peer once (A B C A B C …). Printed are the
medians of the rates and of the ratios tome / peer of each round, so that a drift of the machine's
speed does not decide. `--peer-args` adds arguments to a peer: `--peer-args 'llama.cpp=-fa 1'`.
With a depth, a peer whose llama-bench has no `-d` (ik_llama.cpp) reads depth + prompt tokens from
empty instead: `--fill` compares that mean.
"""
import argparse
import json
import shlex
import statistics
import subprocess

PEER_KV = {"f16": "f16", "bf16": "bf16", "q8": "q8_0", "q4": "q4_0", "f32": "f32"}


def run_tome(options):
    command = [options.tome, "bench", "speed", "--model", options.model, "--json", "--kv", options.kv,
               "--threads", str(options.threads), "--prompt", str(0 if options.fill else options.prompt),
               "--generate", str(options.generate), "--depth", str(options.depth)]
    out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    at = out["depths"][0]
    read = at["fill"] if options.fill else at["prompt"]
    return {"read": read and read["tokens_per_second"],
            "write": at["generate"] and at["generate"]["tokens_per_second"]}


def run_peer(path, arguments, options):
    kv = PEER_KV[options.kv]
    command = [*shlex.split(path), "-m", options.model, "-t", str(options.threads), "-fa", "1", "-ctk", kv, "-ctv",
               kv, "-r", "1", "-o", "json", *arguments]
    if options.fill:
        command += ["-p", str(options.depth), "-n", "0"]
        if options.generate:
            command += ["-gp", f"{options.depth},{options.generate}"]
    else:
        command += ["-p", str(options.prompt), "-n", str(options.generate)]
        if options.depth:
            command += ["-d", str(options.depth)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rates = {"read": None, "write": None}
    for test in json.loads(out[out.index("["):]):
        rates["write" if test["n_gen"] > 0 else "read"] = test["avg_ts"]
    return rates


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tome", default="build/release/bin/tome")
    parser.add_argument("--model", required=True)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--peer-args", action="append", default=[], metavar="NAME=ARGUMENTS")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=16)
    parser.add_argument("--depth", type=int, default=0)
    parser.add_argument("--fill", action="store_true", help="compare reading DEPTH tokens from empty")
    parser.add_argument("--kv", default="f16", choices=PEER_KV)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    peers = dict(peer.split("=", 1) for peer in options.peer)
    extra = {name: shlex.split(text) for name, text in (item.split("=", 1) for item in options.peer_args)}
    rounds = []
    for _ in range(options.pairs):
        rates = {"tome": run_tome(options)}
        for name, path in peers.items():
            rates[name] = run_peer(path, extra.get(name, []), options)
        rounds.append(rates)
        print(json.dumps(rates), flush=True)
    for what in ("read", "write"):
        if rounds[0]["tome"][what] is None:
            continue
        line = f"{what}: tome {statistics.median(r['tome'][what] for r in rounds):.1f}"
        for name in peers:
            both = [(r["tome"][what], r[name][what]) for r in rounds if r[name][what]]
            if both:
                line += (f"; {name} {statistics.median(b for _, b in both):.1f}"
                         f" (ratio {statistics.median(a / b for a, b in both):.2f})")
        print(line)


if __name__ == "__main__":
    main()
