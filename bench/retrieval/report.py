"""The table of a run: the scores of each system by language, split and kind of question, and times."""
import statistics

import questions
import scoring

KINDS = [kind for kind in questions.KINDS if kind != "unanswerable"]


def _mean(values):
    values = [float(value) for value in values if value is not None]
    return sum(values) / len(values) if values else None


def _cell(value, form=".3f"):
    return "–" if value is None else format(value, form)


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def summary(records, scores):
    """Returns what is known of one system over the questions of one language and split, by column."""
    pairs = list(zip(records, scores))
    own = [(r, s) for r, s in pairs if not r["form"]]
    answerable = [(r, s) for r, s in own if r["kind"] in KINDS]
    others = [r for r, _ in own if r["kind"] not in KINDS]
    twins = [(r, s) for r, s in pairs if r["form"]]
    row = {"recall@5": _cell(_mean(s["found"] for _, s in answerable))}
    for kind in KINDS:
        row[kind] = _cell(_mean(s["found"] for r, s in answerable if r["kind"] == kind))
    row["nDCG@10"] = _cell(_mean(s["gain"] for _, s in answerable))
    row["nDCG@10, none"] = _cell(_mean(s["gain"] for r, s in answerable if r["kind"] == "none"))
    row["within the budget"] = _cell(_mean(s["found_in_budget"] for _, s in answerable))
    row["characters"] = _cell(_mean(s["characters"] for _, s in answerable), ",.0f")
    known = any(r["score"] is not None for r, _ in own)
    area = scoring.area_under_curve([r["score"] for r, _ in answerable], [r["score"] for r in others]) if known else None
    row["AUC"] = _cell(area)
    row["twins"] = _cell(_mean(s["found"] for _, s in twins))
    row["of those, as written"] = _cell(_mean(s["found"] for r, s in answerable if r["id"] in {t["id"] for t, _ in twins}))
    row["ms a question"] = _cell(statistics.median(r["seconds"] * 1000 for r, _ in own), ",.1f")
    whole = [r["process_seconds"] * 1000 for r, _ in own if r["process_seconds"] is not None]
    row["ms a process"] = _cell(statistics.median(whole), ",.0f") if whole else "–"
    return row


def markdown(lines, budgets):
    """Returns the tables of a run from its records of answers and of indices."""
    indices = [line for line in lines if "index_seconds" in line]
    answers = [line for line in lines if "index_seconds" not in line]
    tables = []
    for language in dict.fromkeys(r["language"] for r in answers):
        for split in questions.COUNTS:
            chosen = [r for r in answers if r["language"] == language and r["split"] == split]
            if not chosen:
                continue
            of_kinds = {kind: len({r["id"] for r in chosen if r["kind"] == kind}) for kind in questions.KINDS}
            tables += [f"## {language}, {split}: " + ", ".join(f"{n} {kind}" for kind, n in of_kinds.items()) +
                       f"; {budgets[language]:,} characters", ""]
            rows = []
            for system in dict.fromkeys(r["system"] for r in chosen):
                some = [r for r in chosen if r["system"] == system]
                row = summary(some, [scoring.score(r, budgets[language]) for r in some])
                made = [i for i in indices if (i["system"], i["language"], i["split"]) == (system, language, split)]
                seconds, cpu_seconds = (sum(i[name] for i in made) for name in ("index_seconds", "index_cpu_seconds"))
                row["index s"] = _cell(seconds, ",.1f")
                row["index CPU s"] = _cell(cpu_seconds, ",.1f")
                row["characters/CPU s"] = _cell(sum(i["index_characters"] for i in made) / cpu_seconds, ",.0f")
                rows.append((system, row))
            columns = [column for column in rows[0][1] if any(row[column] != "–" for _, row in rows)]
            tables += [_row(["system", *columns]), _row(["---"] * (1 + len(columns)))]
            tables += [_row([system, *(row[column] for column in columns)]) for system, row in rows] + [""]
    return "\n".join(tables)
