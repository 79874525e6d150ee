#!/usr/bin/env python3
"""Checks questions.jsonl: each answer occurs exactly once in its document.

    check_questions.py [--html FOLDER] [--bible FILE]

FOLDER holds the chapters of the packages debian-reference-en and
debian-reference-zh-cn. FILE is the text of the King James Bible, one verse a
line with its reference before it, as the package bible-kjv prints it:

    bible -f gen1:1-rev22:21

Without --bible that command is run here.

The text searched is the document's visible text: no markup, no head, no
script or style. White space is collapsed to one space, except that a line
break between two CJK characters or CJK punctuation marks of one block is
removed; a break between a CJK character and a Latin one stays a space. An
answer lies inside one block (for the Bible, one verse). It must also occur
exactly once in the text without any white space, so that a test may compare
without white space.

Prints counts by language and by document. Exit status: 0 when every question
is sound, 1 on a violation, 2 when a document cannot be read.
"""

import argparse
import collections
import html.parser
import json
import pathlib
import re
import subprocess
import sys

KEYS = ["document", "question", "answer", "language"]
LEAST_ANSWER = 15  # characters
LEAST = {"zh": 30, "en": 30}

BIBLE = "kjv.txt"
BIBLE_COMMAND = ["bible", "-f", "gen1:1-rev22:21"]

HIDDEN = {"head", "script", "style", "template"}
BLOCKS = set(
    "address article aside blockquote body br caption dd div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol"
    " p pre section table tbody td tfoot th thead tr ul".split()
)

CJK = "\u2e80-\u2fdf\u3000-\u30ff\u3100-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60"
CJK_BREAK = re.compile(rf"(?<=[{CJK}])[ \t]*\r?\n\s*(?=[{CJK}])")
SPACE = re.compile(r"\s+")


def collapse(text):
    return SPACE.sub(" ", CJK_BREAK.sub("", text)).strip()


class Blocks(html.parser.HTMLParser):
    """The visible text of an HTML page, block by block."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.blocks = [""]
        self.hidden = 0

    def handle_starttag(self, tag, attrs):
        if tag in HIDDEN:
            self.hidden += 1
        if tag in BLOCKS:
            self.blocks.append("")

    def handle_startendtag(self, tag, attrs):
        if tag in BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag):
        if tag in HIDDEN and self.hidden:
            self.hidden -= 1
        if tag in BLOCKS:
            self.blocks.append("")

    def handle_data(self, data):
        if not self.hidden:
            self.blocks[-1] += data


def html_blocks(path):
    parser = Blocks()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    return [block for block in map(collapse, parser.blocks) if block]


def bible_blocks(path):
    if path is not None:
        text = path.read_text(encoding="utf-8")
    else:
        text = subprocess.run(
            BIBLE_COMMAND, check=True, stdout=subprocess.PIPE, encoding="utf-8"
        ).stdout
    return [line for line in map(collapse, text.splitlines()) if line]


def occurrences(answer, blocks):
    """Returns how often the answer occurs in the text, overlapping occurrences included."""
    pattern = re.compile("(?=" + re.escape(answer) + ")")
    return sum(len(pattern.findall(block)) for block in blocks)


def bare(text):
    return SPACE.sub("", text)


def check_form(entry):
    """Returns the violations of one question that show without its document."""
    if not isinstance(entry, dict) or sorted(entry) != sorted(KEYS):
        return ["wants exactly the keys " + ", ".join(KEYS)]
    if not all(isinstance(entry[key], str) for key in KEYS):
        return ["every value must be a string"]
    wrong = []
    document, question, answer = entry["document"], entry["question"], entry["answer"]
    if entry["language"] not in LEAST:
        wrong.append(f"unknown language {entry['language']}")
    if document == BIBLE:
        language = "en"
    elif re.fullmatch(r"ch\d\d\.en\.html", document):
        language = "en"
    elif re.fullmatch(r"ch\d\d\.zh-cn\.html", document):
        language = "zh"
    else:
        return wrong + [f"unknown document {document}"]
    if entry["language"] != language:
        wrong.append(f"language of {document} is {language}")
    if len(answer) < LEAST_ANSWER:
        wrong.append(f"answer shorter than {LEAST_ANSWER} characters")
    if answer != collapse(answer) or question != collapse(question):
        wrong.append("white space not collapsed")
    if not question:
        wrong.append("empty question")
    if answer in question:
        wrong.append("the question holds the answer")
    return wrong


def main():
    here = pathlib.Path(__file__).resolve().parent
    arguments = argparse.ArgumentParser(description="Checks questions.jsonl.")
    arguments.add_argument(
        "--html", type=pathlib.Path, default=pathlib.Path("/usr/share/debian-reference")
    )
    arguments.add_argument("--bible", type=pathlib.Path)
    options = arguments.parse_args()

    texts = {}
    bare_texts = {}
    violations = 0
    languages = collections.Counter()
    documents = collections.Counter()
    asked = {}

    lines = (here / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            wrong = check_form(entry)
        except json.JSONDecodeError as error:
            wrong = [str(error)]
        if not wrong:
            name = entry["document"]
            if name not in texts:
                try:
                    texts[name] = (
                        bible_blocks(options.bible)
                        if name == BIBLE
                        else html_blocks(options.html / name)
                    )
                except (OSError, UnicodeDecodeError, subprocess.CalledProcessError) as error:
                    print(f"cannot read {name}: {error}", file=sys.stderr)
                    return 2
                bare_texts[name] = [bare(block) for block in texts[name]]
            count = occurrences(entry["answer"], texts[name])
            if count != 1:
                wrong.append(f"answer occurs {count} times in {name}: {entry['answer']}")
            count = occurrences(bare(entry["answer"]), bare_texts[name])
            if count != 1:
                wrong.append(f"answer occurs {count} times in {name} without white space")
            if entry["question"] in asked:
                wrong.append(f"same question as line {asked[entry['question']]}")
            asked.setdefault(entry["question"], number)
            if not wrong:
                languages[entry["language"]] += 1
                documents[name] += 1
        for what in wrong:
            print(f"questions.jsonl:{number}: {what}")
        violations += len(wrong)

    for language, least in LEAST.items():
        if languages[language] < least:
            print(f"fewer than {least} sound questions in {language}")
            violations += 1

    for title, counts in (("language", languages), ("document", documents)):
        print(f"by {title}:")
        for name, count in sorted(counts.items()):
            print(f"  {name:18} {count:3}")
    print(f"questions: {len(lines)}, violations: {violations}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
