#!/usr/bin/env python3
"""The documents of the benchmark of retrieval: files of Debian packages. The repository keeps none.

  bench/retrieval/documents.py WORK --tome PROGRAM     downloads them and checks every question

WORK is a folder outside the repository. It gets packages/ (unpacked, not installed), texts/ (the
output of `tome text` for each file) and, of files that were packed, files/. A question whose
snippets do not stand in its document is an error, since its scores would mean nothing.
"""
import argparse
import gzip
import pathlib
import re
import subprocess
import sys

import questions
import words
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import debian_packages


def _natural(path):
    """A key that sorts chapter 10 behind chapter 9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", str(path))]


def files(name, document, work):
    """Returns the files of a document in order."""
    root = debian_packages.unpacked(document["package"], document["version"], work)
    found = []
    for pattern in document["files"]:
        matching = sorted(root.glob(pattern), key=_natural)
        if not matching:
            sys.exit(f"documents: {name}: the package {document['package']} has no {pattern}")
        for path in matching:
            found.append(_unpacked_file(path, work / "files" / name) if path.suffix == ".gz" else path.resolve())
    return list(dict.fromkeys(found))


def _unpacked_file(path, folder):
    """Returns a file with the content of a .gz file."""
    target = folder / path.stem
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".partial")
        partial.write_bytes(gzip.decompress(path.read_bytes()))
        partial.rename(target)
    return target


def text_paths(name, paths, work):
    """Returns where the text of each file is kept."""
    return [work / "texts" / name / f"{number:04d}-{path.name}.txt" for number, path in enumerate(paths)]


def texts(name, paths, work, tome):
    """Returns the text of each file: that of `tome text`, kept in WORK/texts."""
    read = []
    for path, kept in zip(paths, text_paths(name, paths, work)):
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            result = subprocess.run([tome, "text", path], capture_output=True)
            if result.returncode:
                sys.exit(f"documents: {path}: {result.stderr.decode()}")
            kept.write_bytes(result.stdout)
        # Bytes are decoded by hand, so that no line end changes.
        read.append(kept.read_bytes().decode())
    return read


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--tome", default=pathlib.Path(__file__).resolve().parents[2] / "build/release/bin/tome")
    parser.add_argument("--language", choices=sorted(words.LANGUAGES), help="one language only")
    parser.add_argument("--partial", action="store_true", help="accept fewer questions than the benchmark has")
    options = parser.parse_args()
    work, faults = options.work.resolve(), []
    for language in [options.language] if options.language else sorted(words.LANGUAGES):
        known, asked, content = questions.documents(language), questions.load(language), words.LANGUAGES[language]()
        if language == "zh" and words.jieba is None:
            print("documents: without jieba the kinds of Chinese questions are not checked", file=sys.stderr)
        faults += [] if options.partial else questions.count_faults(asked, language)
        for name, document in known.items():
            paths = files(name, document, work)
            read = texts(name, paths, work, options.tome)
            own = [question for question in asked if question.document == name]
            print(f"{name:<24} {len(paths):>5} files {sum(map(len, read)):>9} characters {len(own):>3} questions")
            for question in own:
                faults += questions.form_faults(question, known) + questions.text_faults(question, read, content)
        faults += [f"{question.id}: no document {question.document}" for question in asked if question.document not in known]
    print(*faults, sep="\n", end="\n" if faults else "")
    sys.exit(f"documents: {len(faults)} faults; see above" if faults else None)


if __name__ == "__main__":
    main()
