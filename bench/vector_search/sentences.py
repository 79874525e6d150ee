#!/usr/bin/env python3
"""English sentences of Debian's documentation and their embeddings: the real vectors of this benchmark.

  bench/vector_search/sentences.py FOLDER MODEL [--count N]

MODEL is a folder with model.onnx and tokenizer.json of an embedder that takes the first token's vector
(bge-small-en-v1.5). Packages are downloaded with apt-get and unpacked with dpkg in FOLDER/packages;
nothing is installed. Writes FOLDER/sentences.txt and FOLDER/vectors.npy, float32 [N, width], each of
length 1, in random order. Embedding 40,000 sentences takes about half an hour of one processor.
"""
import argparse
import gzip
import html.parser
import pathlib
import random
import re
import subprocess

import numpy
import onnxruntime
import tokenizers

PACKAGES = ["debian-handbook", "debian-reference-en", "developers-reference", "fortunes",
            "gitmagic", "gnome-user-docs", "jargon-text", "linux-doc-6.1", "postgresql-doc-15", "python3.11-doc"]
HIDDEN = {"script", "style", "head", "nav", "pre", "form"}
INLINE = {"a", "b", "code", "em", "i", "span", "strong", "tt", "q", "cite", "dfn", "kbd", "samp", "var"}
# Ends of sentences; what stands between two of them is one.
END = re.compile(r"(?<=[a-z)\]][.!?])\s+(?=[A-Z])")
SENTENCE = re.compile(r"[A-Z][^|{}<>=_\\]{40,300}[.!?]$")


class Paragraphs(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.blocks, self.hidden = [""], 0

    def handle_starttag(self, tag, attributes):
        self.hidden += tag in HIDDEN
        if tag not in INLINE:
            self.blocks.append("")

    def handle_endtag(self, tag):
        self.hidden = max(0, self.hidden - (tag in HIDDEN))
        if tag not in INLINE:
            self.blocks.append("")

    def handle_data(self, data):
        if not self.hidden:
            self.blocks[-1] += data


def paragraphs(path):
    source = (gzip.open(path) if path.suffix == ".gz" else open(path, "rb")).read().decode("utf-8", "replace")
    if ".htm" in path.name:
        parser = Paragraphs()
        parser.feed(source)
        return parser.blocks
    if path.suffix == ".page":
        return re.sub(r"<[^>]+>", "", re.sub(r"</?(p|title|item|list|section|steps)\b[^>]*>", "\n\n", source)).split("\n\n")
    return re.split(r"\n\s*\n|\n%\n", source)


def wanted(path):
    if not path.is_file() or path.is_symlink():
        return False
    text = path.as_posix()
    if "/html/" in text and "debian-handbook" in text and "/en-US/" not in text:
        return False
    if "/help/" in text and "/help/C/" not in text:
        return False
    if any(part in text for part in ("changelog", "copyright", "NEWS", "genindex", "_sources", "translations")):
        return False
    return bool(re.search(r"\.(html?|page|txt|rst)(\.gz)?$|/games/fortunes/[a-z-]+$", path.name if "." in path.name else text))


def sentences_of(folder):
    packages = folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    found = {}
    for package in PACKAGES:
        root = packages / package
        if not root.exists():
            subprocess.run(["apt-get", "download", package], cwd=packages, check=True)
            (archive,) = packages.glob(f"{package}_*.deb")
            subprocess.run(["dpkg", "-x", archive, root], check=True)
        before = len(found)
        for path in sorted(filter(wanted, root.rglob("*"))):
            for paragraph in paragraphs(path):
                for sentence in END.split(" ".join(paragraph.split())):
                    words = sentence.split()
                    if len(words) >= 7 and SENTENCE.match(sentence) and \
                            sum(word.isalpha() for word in words) > 0.6 * len(words):
                        found.setdefault(sentence.lower(), sentence)
        print(f"{package}: {len(found) - before} sentences", flush=True)
    return list(found.values())


def embed(texts, model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(model / "model.onnx"), options, providers=["CPUExecutionProvider"])
    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding()
    names = {each.name for each in session.get_inputs()}
    parts = []
    # Sentences of like length go together, so that little is spent on padding.
    for begin in range(0, len(texts), 4096):
        part = texts[begin:begin + 4096]
        order = sorted(range(len(part)), key=lambda i: len(part[i]))
        vectors = None
        for first in range(0, len(order), 64):
            batch = order[first:first + 64]
            encoded = tokenizer.encode_batch([part[i] for i in batch])
            inputs = {"input_ids": [e.ids for e in encoded], "attention_mask": [e.attention_mask for e in encoded],
                      "token_type_ids": [e.type_ids for e in encoded]}
            inputs = {name: numpy.array(value, dtype=numpy.int64) for name, value in inputs.items() if name in names}
            out = session.run(None, inputs)[0][:, 0]
            if vectors is None:
                vectors = numpy.zeros((len(part), out.shape[1]), numpy.float32)
            vectors[batch] = out / numpy.linalg.norm(out, axis=1, keepdims=True)
        parts.append(vectors)
        print(f"embedded {begin + len(part)} of {len(texts)}", flush=True)
        yield numpy.concatenate(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=40000)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    texts = sentences_of(args.folder)
    random.Random(1).shuffle(texts)
    texts = texts[:args.count]
    (args.folder / "sentences.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    for vectors in embed(texts, args.model, args.threads):
        numpy.save(args.folder / "vectors.npy", vectors)


if __name__ == "__main__":
    main()
