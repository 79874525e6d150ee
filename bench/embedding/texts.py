#!/usr/bin/env python3
"""Texts of mixed length in English and Chinese, cut from Debian packages.

    bench/embedding/texts.py FOLDER [COUNT]     writes FOLDER/en.txt and FOLDER/zh.txt, COUNT lines each (500)

From the Debian reference in both languages, the Jargon File and the Debian handbook, at places and of lengths that a seed
decides: half of the texts have less than 30 words or 50 characters, the longest 300 words or 450 characters. Packages are
downloaded and unpacked below FOLDER; nothing is installed.
"""
import gzip
import pathlib
import random
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "answers"))
import plain_text  # noqa: E402

# Package, files, and the function that reads them.
SOURCES = {"en": [("debian-reference-en", "usr/share/debian-reference/ch*.en.html", plain_text.of_html),
                  ("jargon-text", "usr/share/doc/jargon-text/jargon.txt.gz", plain_text.of_text)],
           "zh": [("debian-reference-zh-cn", "usr/share/debian-reference/ch*.zh-cn.html", plain_text.of_html),
                  ("debian-handbook", "usr/share/doc/debian-handbook/html/zh-CN/s*.html", plain_text.of_html)]}


def unpacked(package, folder):
    root = folder / "packages" / package
    if not root.exists():
        archives = folder / "archives" / package
        archives.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "-q", "download", package], cwd=archives, check=True, stdout=subprocess.DEVNULL)
        partial = root.with_name(package + ".partial")
        partial.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg", "-x", next(archives.glob("*.deb")), partial], check=True)
        partial.rename(root)
    return root


def paragraphs(language, folder):
    found = []
    for package, pattern, read in SOURCES[language]:
        for path in sorted(unpacked(package, folder).glob(pattern)):
            data = path.read_bytes()
            text = read((gzip.decompress(data) if path.suffix == ".gz" else data).decode())
            found += re.split(r"\n\s*\n", text)
    return [text for text in (re.sub(r"\s+", " ", part).strip() for part in found) if len(text) > 3]


def cut(language, source, length, at):
    """A text of about `length` characters that begins with paragraph `at` and ends with a word."""
    text = ""
    while len(text) < length:
        text = f"{text} {source[at % len(source)]}".strip()
        at += 1
    text = text[:length]
    return text.rsplit(" ", 1)[0] if language == "en" and " " in text else text


def make(language, folder, count):
    source = paragraphs(language, folder)
    choose = random.Random(f"tome {language}")
    least, most = (15, 1800) if language == "en" else (4, 450)
    return [cut(language, source, int(least * (most / least) ** choose.random()), choose.randrange(len(source)))
            for _ in range(count)]


def load(folder, count=500):
    """Language -> texts, which are written where they are not there yet."""
    texts = {}
    for language in SOURCES:
        path = folder / f"{language}.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) < count:
            folder.mkdir(parents=True, exist_ok=True)
            lines = make(language, folder, count)
            path.write_text("\n".join(lines) + "\n")
        texts[language] = lines[:count]
    return texts


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    for language, texts in load(pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:])).items():
        lengths = sorted(map(len, texts))
        print(f"{language}: {len(texts)} texts of {lengths[0]} to {lengths[-1]} characters, "
              f"half of at most {lengths[len(lengths) // 2]}")


if __name__ == "__main__":
    main()
