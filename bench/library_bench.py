#!/usr/bin/env python3
"""Times `tome library add` and `tome ask` on ten million characters, as whole processes.

    bench/library_bench.py TOME FOLDER [RUNS]

FOLDER holds english.txt and chinese.txt (bench/make_corpus.py). Each figure is the median of RUNS (default 5) with
minimum and maximum beside it; memory is the largest resident set of any of the processes, tome-reader included.
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

QUESTIONS = {
    "english": "Who did Jacob love more than all his children and what did he make him?",
    "chinese": "如何配置软件包管理系统的默认镜像源？",
}
GOALS = {"english": 3e6, "chinese": 1e6}


def run(command, home):
    """Returns the seconds and the peak resident KiB of a command with its children."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=dict(os.environ, TOME_HOME=home), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command}: status {status}")
    return seconds, usage.ru_maxrss


def show(name, values, unit, scale=1.0):
    low, middle, high = (value * scale for value in (min(values), statistics.median(values), max(values)))
    print(f"  {name:<28} {middle:10.3f} {unit}  ({low:.3f} to {high:.3f})")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    tome, folder = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    for language, question in QUESTIONS.items():
        file = str(folder / f"{language}.txt")
        characters = len(pathlib.Path(file).read_text(encoding="utf-8"))
        print(f"{language}: {characters} characters, {os.path.getsize(file)} bytes")
        home = tempfile.mkdtemp(prefix="tome-bench-")
        try:
            adds = []
            for _ in range(runs):
                shutil.rmtree(home)
                adds.append(run([tome, "library", "add", file], home))
            seconds = [add[0] for add in adds]
            show("library add", seconds, "s")
            show("rate", [characters / value for value in seconds], "million characters/s", 1e-6)
            print(f"  {'goal':<28} {GOALS[language] / 1e6:10.3f} million characters/s")
            show("peak memory", [add[1] for add in adds], "MiB", 1 / 1024)
            size = sum(path.stat().st_size for path in pathlib.Path(home).iterdir())
            print(f"  {'library on disk':<28} {size / 2**20:10.3f} MiB")
            run([tome, "ask", file, question], home)
            asks = [run([tome, "ask", file, question], home)[0] for _ in range(4 * runs)]
            show("ask, indexed, whole process", asks, "ms  (goal: 50)", 1000)
        finally:
            shutil.rmtree(home, ignore_errors=True)


main()
