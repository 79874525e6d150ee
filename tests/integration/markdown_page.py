"""Reads the Markdown of README.md and docs/: its blocks, the code in them, and the commands in that.

It knows what these pages use: headings, paragraphs and lists, tables with a row a line, fenced and
indented code, code spans. It looks at code and tables alone, so that prose can be rewritten freely.
"""
import pathlib
import re
import shlex

DRAWING = re.compile("[→─│┌┐└┘├┤]")
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


class Block:
    """A heading, paragraph, table row, or block of code. `section` is the heading that it stands
    under (a Block, or None) and `lines` the text."""

    def __init__(self, kind, line, section, lines, language="", header=()):
        self.kind, self.line, self.section, self.lines = kind, line, section, lines
        self.language, self.header = language, header

    @property
    def text(self):
        return " ".join(line.strip() for line in self.lines)

    @property
    def level(self):
        return len(self.lines[0]) - len(self.lines[0].lstrip("#"))

    @property
    def cells(self):
        """The cells of a table row."""
        return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", self.text.strip("|"))]

    @property
    def pieces(self):
        """The text as (is code, text) pairs."""
        text = " ".join(self.cells) if self.kind == "row" else self.text
        return [(i % 2 == 1, piece) for i, piece in enumerate(text.split("`"))]

    @property
    def spans(self):
        return [piece for is_code, piece in self.pieces if is_code]


def spans(text):
    """Returns the code spans of a text."""
    return text.split("`")[1::2]


class Page:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.blocks = list(self._read(self.path.read_text(encoding="utf-8").split("\n")))

    def _read(self, lines):
        section, header, at = None, (), 0
        while at < len(lines):
            begin, line = at, lines[at]
            at += 1
            if not line.strip():
                continue
            if line.startswith("```"):
                while at < len(lines) and not lines[at].startswith("```"):
                    at += 1
                yield Block("fenced", begin + 1, section, lines[begin + 1:at], language=line[3:].strip())
                at += 1
            elif line.startswith("    ") and (begin == 0 or not lines[begin - 1].strip()):
                while at < len(lines) and lines[at].startswith("    "):
                    at += 1
                yield Block("indented", begin + 1, section, [line[4:] for line in lines[begin:at]])
            elif line.startswith("#"):
                section = Block("heading", begin + 1, section, [line])
                yield section
            elif line.startswith("|"):
                row = Block("row", begin + 1, section, [line], header=header)
                if begin == 0 or not lines[begin - 1].startswith("|"):
                    header = row.cells
                elif not re.fullmatch(r"[|:\s-]+", line):
                    row.header = header
                    yield row
            else:
                while at < len(lines) and re.match(r"(?!```|#|\||- |\d+\. )\s*\S", lines[at]):
                    at += 1
                yield Block("paragraph", begin + 1, section, lines[begin:at])

    def under(self, heading):
        """Returns the blocks under a heading, those of its subsections included."""
        begin = self.blocks.index(heading) + 1
        end = begin
        while end < len(self.blocks) and not (self.blocks[end].kind == "heading" and
                                              self.blocks[end].level <= heading.level):
            end += 1
        return self.blocks[begin:end]

    def beside(self, block):
        """Returns the blocks under the same heading as `block`, subsections left out."""
        return [other for other in self.blocks if other.section is block.section]

    def command_lines(self):
        """Yields (block, command line) for each line of code that a shell would be given."""
        for block in self.blocks:
            if block.kind == "fenced" and block.language == "console":
                lines = [line[2:] for line in joined(block.lines) if line.startswith("$ ")]
            elif block.kind == "fenced" and block.language in ("sh", "bash"):
                lines = joined(block.lines)
            elif block.kind == "indented" and not DRAWING.search(block.text):
                lines = joined(block.lines)
            else:
                continue
            yield from ((block, line) for line in lines if line.strip())


def joined(lines):
    """Returns the lines with those joined that end in a backslash."""
    return re.sub(r"\\\n\s*", "", "\n".join(lines)).split("\n")


def simple_commands(line):
    """Splits a command line, or what a span shows of one, into simple commands: lists of words,
    without redirections, assignments and /usr/bin/time."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quotation mark of the prose
        words = line.split()
    commands, command, redirected = [], [], False
    for word in [*words, ";"]:
        if word in ("|", "||", "&&", ";"):
            commands.append(command)
            command = []
        elif re.fullmatch(r"\d?[<>]+", word):
            redirected = True
        elif redirected or re.match(r"\d?[<>]", word):
            redirected = False
        elif command or not (re.match(r"\w+=", word) or word in ("/usr/bin/time", "-v")):
            command.append(word)
    return [command for command in commands if command]
