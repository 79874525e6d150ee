#!/usr/bin/env python3
"""Measures the way from `tome read` to an answer over very long documents, with a bound on memory.

  bench/long_document_bench.py FOLDER [--only exact|sparse|linear]

FOLDER receives the models, texts and memories (some 10 GB): a random model of 2 layers with 8 heads
of 64 over 2 KV heads (bench/make_model.py --shape small) and a text of topics
(bench/make_topic_text.py). The cases run the commands that a user would type:

  exact    262,144 tokens are read with exact attention, spilled (--memory 64MB) and asked about,
           where they are restored from disk
  sparse   1,048,576 tokens, in chapters of a few topics, are asked about with sparse attention
           (which is not kept)
  linear   10,000,000 characters are read by a small Mamba-2; the reading is interrupted in the
           middle and then read to the end, and the text is asked about

Printed are the seconds, and the most memory that the process held.
"""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

BENCH = pathlib.Path(__file__).resolve().parent
SIZES = {"exact": 262_144, "sparse": 1_048_576}
CHARACTERS = 10_000_000


def script(name, *arguments, **options):
    return subprocess.run([sys.executable, BENCH / name, *map(str, arguments)], check=True, **options)


class Bench:
    def __init__(self, options):
        self.tome, self.folder = options.tome, options.folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = {**os.environ, "TOME_HOME": str(self.folder / "home")}

    def run(self, what, *arguments, interrupt_after=None):
        """Runs one command and prints its time and memory. Returns its JSON, or None where it was
        interrupted."""
        begin = time.monotonic()
        process = subprocess.Popen([self.tome, *map(str, arguments), "--json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, env=self.environment)
        if interrupt_after:
            time.sleep(interrupt_after)
            process.send_signal(signal.SIGINT)
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, 130):
            sys.exit(f"{what}: tome ended with {code}")
        result = json.loads(out) if code == 0 else None
        note = "" if result else "interrupted"
        if result and "tokens" in result:
            tokens = result["tokens"]
            total, kept = ((tokens["prompt"], tokens["restored"]) if isinstance(tokens, dict) else
                           (tokens, result["restored"]))
            note = f"{total} tokens, {kept} of them kept from before"
        print(f"{what:<42} {seconds:8.1f} s  peak {usage.ru_maxrss / 1024:7.0f} MiB  {note}", flush=True)
        return result

    def model(self):
        path = self.folder / "small.gguf"
        if not path.exists():
            # The narrow model needs sharper attention for the same peaks, since its keys are half
            # as large as those of the 1.1 B shape.
            script("make_model.py", path, "--shape", "small", "--sharp", 32, "--context", 2 * SIZES["sparse"])
        return path

    def text(self, tokens, chapter=0):
        path = self.folder / f"topics-{tokens}-{chapter}.txt"
        if not path.exists():
            with open(path, "wb") as out:
                script("make_topic_text.py", tokens, "--chapter", chapter, stdout=out)
        return path

    def exact(self):
        model, text = self.model(), self.text(SIZES["exact"])
        self.run("add to the library", "library", "add", text)
        self.run("read, exact, --memory 64MB", "read", text, "--model", model, "--memory", "64MB")
        self.run("ask, reopened, --memory 64MB", "ask", text, "What is this about?", "--model", model, "--way",
                 "context", "--memory", "64MB", "--max-tokens", 8)

    def sparse(self):
        model, text = self.model(), self.text(SIZES["sparse"], chapter=16384)
        self.run("add to the library", "library", "add", text)
        answer = self.run("ask, sparse", "ask", text, "What is this about?", "--model", model, "--way", "context",
                          "--attention", "sparse", "--max-tokens", 8)
        print("  " + "\n  ".join(answer["notes"]))

    def linear(self):
        model, text = self.folder / "mamba2", self.folder / "english.txt"
        if not model.exists():
            script("make_linear_model.py", "mamba2", model, "--small")
        if not text.exists():
            script("make_corpus.py", self.folder)
        self.run("add to the library", "library", "add", text)
        self.run("read, linear, Ctrl-C after a minute", "read", text, "--model", model, interrupt_after=60)
        self.run("read on", "read", text, "--model", model)
        self.run("ask, reopened", "ask", text, "Who built the ark?", "--model", model, "--way", "linear",
                 "--max-tokens", 8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tome", default="build/release/bin/tome")
    parser.add_argument("--only", choices=["exact", "sparse", "linear"])
    options = parser.parse_args()
    bench = Bench(options)
    for case in ("exact", "sparse", "linear"):
        if options.only in (None, case):
            print(case)
            getattr(bench, case)()


if __name__ == "__main__":
    main()
