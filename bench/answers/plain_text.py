"""Plain text of the formats of this benchmark's documents, with standard Python alone.

Every system is given this text, so that none is judged by how it reads a format.
"""
import html.parser
import re
import xml.etree.ElementTree

BLOCKS = {"p", "div", "li", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "pre", "table", "ul", "ol", "dl",
          "section", "br", "hr", "title"}
HIDDEN = {"script", "style", "head", "nav", "form"}


def blocks_joined(blocks):
    """Returns blocks of text as paragraphs, each on its own line."""
    folded = (re.sub(r"\s+", " ", block).strip() for block in blocks)
    return "\n\n".join(block for block in folded if block) + "\n"


class _HtmlText(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.blocks, self.hidden = [""], 0

    def handle_starttag(self, tag, attributes):
        classes = (dict(attributes).get("class") or "").split()
        # The head-line and foot-line of DocBook's pages link to other pages and are not text of
        # this one.
        if tag in HIDDEN or "navheader" in classes or "navfooter" in classes or "docnav" in classes:
            self.hidden += 1
        elif self.hidden and tag in ("div", "ul"):
            self.hidden += 1
        elif tag in BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag):
        if self.hidden:
            if tag in HIDDEN or tag in ("div", "ul"):
                self.hidden -= 1
        elif tag in BLOCKS:
            self.blocks.append("")

    def handle_data(self, data):
        if not self.hidden:
            self.blocks[-1] += data


def of_html(source):
    """Returns the text of an HTML page without its navigation."""
    parser = _HtmlText()
    parser.feed(source)
    return blocks_joined(parser.blocks)


def of_mallard(source):
    """Returns the text of a page of GNOME's help (Mallard): titles and paragraphs in order."""
    blocks = []

    def visit(element):
        name = element.tag.rpartition("}")[2]
        if name in ("info", "media"):
            return
        if name in ("p", "title"):
            blocks.append("".join(element.itertext()))
            return
        for child in element:
            visit(child)

    visit(xml.etree.ElementTree.fromstring(source))
    return blocks_joined(blocks)


def of_fortunes(source):
    """Returns the entries of a file of fortunes without their colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", source).replace("\n%\n", "\n\n")


def of_ruleset(source):
    """Returns the name and the legend of a nation of Freeciv."""
    name = re.search(r'^plural\s*=\s*_\("(?:\?plural:)?(.*?)"\)', source, re.MULTILINE).group(1)
    legend = re.search(r'^legend\s*=\s*_\("(.*?)"\)', source, re.MULTILINE | re.DOTALL).group(1)
    legend = re.sub(r"\\\n\s*", " ", legend)
    return f"{name}\n\n{re.sub(' +', ' ', legend)}\n"


def of_text(source):
    return source
