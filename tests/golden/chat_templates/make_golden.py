#!/usr/bin/env python3
"""Renders expressions and published chat templates with Jinja2 and writes the goldens beside this file.

    make_golden.py FOLDER_OF_TEMPLATES

requirements.txt lists the versions used. The environment is set up as transformers does it for chat
templates. Where transformers is installed, each output is compared with the output of its own
environment.
"""
import datetime
import json
import pathlib
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox

from conversations import CASES, BOS, EOS
from expressions import ALL, CONTEXT

NOW = datetime.datetime(2025, 3, 9, 14, 5, 6)
# A longer output is kept as its number of bytes and its hash.
LONGEST = 1500  # bytes
HERE = pathlib.Path(__file__).resolve().parent


class Generation(jinja2.ext.Extension):
    """Adds {% generation %}, a scope around text that a model wrote."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_call"), [], [], body).set_lineno(line)

    def _call(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment(kind):
    made = kind(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = NOW.strftime
    return made


IMMUTABLE = environment(jinja2.sandbox.ImmutableSandboxedEnvironment)
MUTABLE = environment(jinja2.sandbox.SandboxedEnvironment)


def render_with_transformers(template, variables):
    """Returns the output of transformers, or None where it is not installed."""
    try:
        from transformers.utils.chat_template_utils import _compile_jinja_template
    except ImportError:
        return None
    compiled = _compile_jinja_template(template)
    compiled.globals["strftime_now"] = NOW.strftime
    return compiled.render(**variables)


def render(template, variables):
    """Returns {"text"} or {"error"}.

    "mutates" is added where Jinja's immutable sandbox refuses a template and the mutable one does
    not.
    """
    variables = json.loads(json.dumps(variables))
    try:
        text = IMMUTABLE.from_string(template).render(**variables)
        other = render_with_transformers(template, variables)
        assert other is None or other == text, template
        return {"text": text}
    except jinja2.exceptions.SecurityError:
        return {"text": MUTABLE.from_string(template).render(**variables), "mutates": True}
    except AssertionError:
        raise
    except Exception as error:  # any exception of Python is an error for Tome too
        return {"error": type(error).__name__}


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def shortened(result):
    data = result.get("text", "").encode()
    if len(data) <= LONGEST:
        return result
    rest = {key: value for key, value in result.items() if key != "text"}
    return {"bytes": len(data), "fnv1a": fnv1a(data), **rest}


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def make_expressions():
    cases = []
    for group, templates in ALL:
        for template in templates:
            result = render(template, CONTEXT)
            assert ("error" in result) == (group == "errors"), (template, result)
            assert ("mutates" in result) == (group == "mutation"), (template, result)
            result.pop("mutates", None)
            cases.append({"group": group, "template": template, **result})
    write("expressions.json", {"context": CONTEXT, "cases": cases})
    return len(cases)


def make_templates(folder):
    cases = []
    for path in sorted(folder.glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        for name, case in CASES.items():
            variables = {"tools": None, "documents": None, **case.get("variables", {})}
            variables |= {"messages": case["messages"], "add_generation_prompt": case.get("add_generation_prompt", True),
                          "bos_token": BOS, "eos_token": EOS}
            if "tools" in case:
                variables["tools"] = case["tools"]
            cases.append({"template": path.name, "fnv1a_of_template": fnv1a(template.encode()), "case": name,
                          **shortened(render(template, variables))})
    assert cases, f"no templates in {folder}"
    write("templates.json", {"bos_token": BOS, "eos_token": EOS, "conversations": CASES, "cases": cases})
    return len(cases)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(make_expressions(), "expressions,", make_templates(pathlib.Path(sys.argv[1])), "renderings of templates")
