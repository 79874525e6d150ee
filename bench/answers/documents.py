#!/usr/bin/env python3
"""The documents that questions.jsonl asks about, cut from Debian packages.

The repository keeps none of them.

  bench/answers/documents.py FOLDER     writes FOLDER/docs/*.txt and checks every question against them

Packages are downloaded with apt-get and unpacked with dpkg in FOLDER/packages: nothing is installed
and root is not needed. Where the pinned version of a package is no longer offered, the offered one
is taken and named. A question whose sentences no longer stand in the text is an error that names
the document, since its scores would mean nothing.
"""
import gzip
import pathlib
import sys

import plain_text
import questions
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import debian_packages

GNOME = "usr/share/help/C/gnome-help/"
HANDBOOK = "usr/share/doc/debian-handbook/html/zh-CN/"
FAQ = "usr/share/doc/debian/FAQ/zh-cn/"
INSTALLATION = "usr/share/doc/installation-guide-amd64/zh_CN/"
KERNEL = "usr/share/doc/debian-kernel-handbook/kernel-handbook.html/"
NATIONS = "usr/share/games/freeciv/nation/"
JARGON = "usr/share/doc/jargon-text/jargon.txt.gz"
MAGIC = "usr/share/doc/gitmagic/html/"

VERSIONS = {
    "debian-faq-zh-cn": "11.1",
    "debian-handbook": "11.20220922",
    "debian-kernel-handbook": "1.0.21",
    "fortunes-zh": "2.98",
    "freeciv-data": "3.0.6-1+deb12u1",
    "gitmagic": "20160304-1.2",
    "gnome-user-docs": "43.0-2",
    "installation-guide-amd64": "20230508+deb12u1",
    "jargon-text": "4.4.7-4.1",
    "miscfiles": "1.5+dfsg-4",
}

# Each document has a package, the function that reads its files, and its parts. A part is a file,
# where it begins and where it ends. The last place with the text of the beginning counts, since
# tables of contents name it before. A part without an end goes to the end of the file.
DOCUMENTS = {
    "L-git": ("gitmagic", plain_text.of_html, [
        (MAGIC + "ch01.html", "Chapter 1. Introduction", "Ben Lynn"),
        (MAGIC + "ch02.html", "Chapter 2. Basic Tricks", "Ben Lynn"),
        (MAGIC + "ch04.html", "Chapter 4. Branch Wizardry", "Ben Lynn")]),
    "L-constitution": ("miscfiles", plain_text.of_text, [
        ("usr/share/state/us-constitution.gz", "The Constitution of the United States", "Article VI")]),
    "switch": ("jargon-text", plain_text.of_text, [(JARGON, "A Story About ‘Magic'", "   1994: Another explanation")]),
    "typewriter": ("jargon-text", plain_text.of_text, [
        (JARGON, "TV Typewriters: A Tale of Hackish Ingenuity", "   [Antihistorical note")]),
    "ghosts": ("jargon-text", plain_text.of_text, [(JARGON, "     One fine day, the system operator",
                                                    "   Finally, here is a wonderful")]),
    "nations-africa": ("freeciv-data", plain_text.of_ruleset, [
        (NATIONS + f"{name}.ruleset", None, None) for name in ("congolese", "jolof", "nubian")]),
    "nations-lost": ("freeciv-data", plain_text.of_ruleset, [
        (NATIONS + f"{name}.ruleset", None, None) for name in ("gepid", "tocharian", "toltec")]),
    "colours": ("gnome-user-docs", plain_text.of_mallard, [(GNOME + "color-whatisspace.page", None, None)]),
    "initramfs": ("debian-kernel-handbook", plain_text.of_html, [
        (KERNEL + "ch-initramfs.html", "The booting in Debian", None)]),
    "L-zh-installer": ("installation-guide-amd64", plain_text.of_html, [(INSTALLATION + "ch06s03.html", None, None)]),
    "L-zh-choosing": ("debian-faq-zh-cn", plain_text.of_html, [
        (FAQ + "choosing.zh-cn.html", "有很多种不同的 Debian 发布版本。", None)]),
    "zh-toys": ("debian-faq-zh-cn", plain_text.of_html, [
        (FAQ + "ftparchives.zh-cn.html", "6.2. 诸如 etch、lenny 之类的名字是什么？", "6.4. stable 目录包含什么？")]),
    "zh-company": ("debian-handbook", plain_text.of_html, [
        (HANDBOOK + "case-study.html", "在这本手册的情境中", None)]),
    "zh-preface": ("debian-handbook", plain_text.of_html, [(HANDBOOK + "preface.html", "我很高兴可以借此机会", None)]),
    "zh-accounts": ("debian-handbook", plain_text.of_html, [
        (HANDBOOK + "sect.creating-accounts.html", "8.5. 添加帐号", None)]),
    "zh-donations": ("debian-faq-zh-cn", plain_text.of_html, [
        (FAQ + "contributing.zh-cn.html", "13.3. 如何向 Debian 计划捐赠金钱？", None)]),
    "zh-buying": ("installation-guide-amd64", plain_text.of_html, [(INSTALLATION + "ch02s03.html", None, None)]),
    "zh-requirements": ("installation-guide-amd64", plain_text.of_html, [(INSTALLATION + "ch03s04.html", None, None)]),
    "zh-poems": ("fortunes-zh", plain_text.of_fortunes, [
        ("usr/share/games/fortunes/tang300", "《感遇・其一》", "《西施咏》")]),
}


def part(name, path, read, begin, end):
    """Returns one file's text from `begin` to `end`."""
    data = path.read_bytes()
    text = read((gzip.decompress(data) if path.suffix == ".gz" else data).decode())
    first = text.rfind(begin) if begin else 0
    last = text.find(end, first) if end else len(text)
    if first < 0 or last < 0:
        sys.exit(f"documents: {name} has changed: {path.name} has no {begin if first < 0 else end!r}")
    return text[first:last].strip() + "\n"


def write(folder):
    """Writes all documents to FOLDER/docs, where they are not there yet."""
    docs = folder / "docs"
    docs.mkdir(parents=True, exist_ok=True)
    for name, (package, read, parts) in DOCUMENTS.items():
        root = debian_packages.unpacked(package, VERSIONS[package], folder)
        text = "\n".join(part(name, root / path, read, begin, end) for path, begin, end in parts)
        (docs / f"{name}.txt").write_text(text)
    return docs


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    docs = write(pathlib.Path(sys.argv[1]))
    asked = questions.load(questions.OWN, docs)
    faults = [fault for question in asked for fault in questions.faults(question)]
    for name in sorted(DOCUMENTS):
        print(f"{name:<16} {len((docs / f'{name}.txt').read_text()):>6} characters")
    print(*faults, sep="\n", end="\n" if faults else "")
    sys.exit(f"documents: {len(faults)} faults; see above" if faults else None)


if __name__ == "__main__":
    main()
