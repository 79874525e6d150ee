#!/usr/bin/env python3
"""Writes the corpora of the library benchmark: ten million characters of English and of Chinese.

    bench/make_corpus.py FOLDER      writes FOLDER/english.txt and FOLDER/chinese.txt

English is the King James Bible (package bible-kjv), repeated. Chinese is the sentences of the
Debian Reference in Chinese (package debian-reference-zh-cn), shuffled anew for each repetition
(seed 1) and set into paragraphs of two to eight. Repetition makes posting lists longer than those
of a real text of the same length, since every word comes back in every repetition. This does not
matter for insertion, and it is the hard case for search.
"""
import gzip
import pathlib
import random
import re
import subprocess
import sys

CHARACTERS = 10_000_000


def english():
    text = subprocess.run(["bible", "-f", "gen1:1-rev22:21"], check=True, capture_output=True, text=True).stdout
    return (text * (CHARACTERS // len(text) + 1))[:CHARACTERS]


def chinese():
    path = "/usr/share/debian-reference/debian-reference.zh-cn.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        runs = re.findall("[\u4e00-\u9fff，。、；：！？]+", file.read())
    sentences = [sentence + "。" for sentence in "".join(runs).split("。") if sentence]
    rng = random.Random(1)
    paragraphs, length = [], 0
    while length < CHARACTERS:
        rng.shuffle(sentences)
        position = 0
        while position < len(sentences):
            count = rng.randint(2, 8)
            paragraph = "".join(sentences[position:position + count])
            position += count
            paragraphs.append(paragraph)
            length += len(paragraph) + 1
    return "\n".join(paragraphs)[:CHARACTERS]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "english.txt").write_text(english(), encoding="utf-8")
    (folder / "chinese.txt").write_text(chinese(), encoding="utf-8")


main()
