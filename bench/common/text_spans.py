"""Where a sentence stands in a text, whatever their white space."""
import re


def expression(sentence):
    """Returns the expression that finds `sentence`, or None for an empty one."""
    words = sentence.split()
    return re.compile(r"\s+".join(map(re.escape, words))) if words else None


def find_all(sentence, text):
    """Returns the spans (begin, end) of characters at which `sentence` stands in `text`."""
    pattern = expression(sentence)
    return [match.span() for match in pattern.finditer(text)] if pattern else []


def find(sentence, text):
    """Returns the first of those spans, or None."""
    pattern = expression(sentence)
    match = pattern.search(text) if pattern else None
    return match.span() if match else None
