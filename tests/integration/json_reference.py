"""Finds what docs/command-line.md says of the fields of the JSON that commands print."""
import re

from markdown_page import spans


class Part:
    """A part of docs/command-line.md that describes the JSON of a command (words without "tome").

    `fields` maps the paths of a table's first column to the names in the row's last cell. `names`
    are those of the whole part, and `claimed` those of them that must be fields where it has no
    table. `snippets` are the keys of JSON that is shown above a table."""

    def __init__(self, command):
        self.command = command
        self.fields, self.names, self.claimed, self.snippets = {}, set(), set(), set()

    def add(self, other):
        """Takes over what another part says of the same command."""
        self.fields |= other.fields
        self.names |= other.names
        self.claimed |= other.claimed
        self.snippets |= other.snippets


def names_in(texts):
    """Returns the names of fields in code spans: `a`, `a.b`, `a[].b` and `{"a": …}`."""
    found = set()
    for text in texts:
        if re.fullmatch(r"[a-z]\w*(?:(?:\[\])?\.[a-z]\w*)*", text):
            found |= set(re.findall(r"\w+", text))
        found |= set(re.findall(r'"(\w+)":', text))
    return found


def paths_in(cell):
    """Returns the paths in a table's first cell, where `a.b`, `c` means a.b and a.c."""
    paths, prefix = [], ""
    for span in spans(cell):
        if "." in span:
            prefix = span[:span.rindex(".") + 1]
        paths.append(span if "." in span else prefix + span)
    return paths


def sentences(pieces):
    """Splits (is code, text) pairs into sentences: lists of such pairs."""
    sentence = []
    for is_code, text in pieces:
        if is_code:
            sentence.append((True, text))
            continue
        *ended, rest = re.split(r"(?<=[.:])\s+(?=[A-Z])|(?<=\.)\s+$|(?<=\.\))\s+", text)
        for end in ended:
            yield [*sentence, (False, end)]
            sentence = []
        sentence.append((False, rest))
    if sentence:
        yield sentence


def json_parts(page):
    """Yields the parts that describe JSON. One begins at `tome COMMAND --json` in a heading, or in a
    paragraph at such a span or at `--json` behind a command, and ends with the section or paragraph.
    In a paragraph the names up to the sentence's end are those that must be fields."""
    def words_of(span):
        return tuple(word for word in span.split()[1:] if word.isalpha() and word.islower() or word == "…")

    in_sections = []
    for heading in page.blocks:
        if heading.kind != "heading":
            continue
        for span in heading.spans:
            if not re.fullmatch(r"tome .*--json", span):
                continue
            part = Part(words_of(span))
            blocks = page.under(heading)
            in_sections += blocks
            for block in blocks:
                if block.kind == "row" and block.header[0] == "field":
                    for path in paths_in(block.cells[0]):
                        part.fields[path] = names_in(spans(block.cells[-1]))
                elif block.kind == "paragraph":
                    part.names |= names_in(block.spans)
            if not part.fields:
                part.claimed = part.names
            before = [block for block in page.blocks if block.section is heading and block.kind == "paragraph"]
            part.snippets = {name for block in before for span in block.spans for name in re.findall(r'"(\w+)":', span)}
            yield part
    for block in page.blocks:
        if block.kind != "paragraph" or block in in_sections:
            continue
        part, command = None, None
        for sentence in sentences(block.pieces):
            claims = False
            for text in (text for is_code, text in sentence if is_code):
                if text.startswith("tome "):
                    command = words_of(text)
                if command is not None and re.fullmatch(r"(?:tome .*)?--json", text):
                    if part:
                        yield part
                    part, claims = Part(command), True
                elif part:
                    part.names |= names_in([text])
                    part.claimed |= names_in([text]) if claims else set()
        if part:
            yield part
