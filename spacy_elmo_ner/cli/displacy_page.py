"""A complete HTML page around displaCy's entities."""

from collections import Counter
from html import escape
from typing import Any, Dict, List, NamedTuple, Optional

from spacy import displacy
from spacy.tokens import Doc

from ..pipeline.colors import COLORS
from ..text.direction import direction


class Shown(NamedTuple):
    """A predicted Doc, and its gold if there is one."""

    predicted: Doc
    gold: Optional[Doc]
    source: str


# displaCy's own margins and padding are for left-to-right text on one line. The logical
# properties below work in both directions, and marks may break across lines
STYLE = """
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1rem; background: #f6f6f4;
  color: #111; font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: .8rem; margin: 0; color: #555; }
p { margin: .2rem 0; color: #555; overflow-wrap: anywhere; }
article { background: #fff; border: 1px solid #ddd; border-radius: .5rem;
  margin: 1rem 0; padding: .75rem 1.25rem; }
header p, article > p { font-size: .85rem; }
.pair { display: flex; flex-wrap: wrap; gap: 0 2rem; }
.pair > section { flex: 1 1 24rem; min-width: 0; }
.entities { overflow-wrap: anywhere; text-align: start; }
.entities mark { box-decoration-break: clone; -webkit-box-decoration-break: clone;
  color: #111; padding: .25em .4em !important; margin: 0 !important;
  margin-inline: .1em .25em !important; }
.entities mark span { display: inline-block; margin-inline: .3em 0 !important; }
"""

PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{subtitle}</p>
{legend}
{tables}</header>
<main>
{articles}
</main>
</body>
</html>
"""


def displacy_page(
    shown: List[Shown], *, title: str, subtitle: str, tables: str = ""
) -> str:
    """Make a page with an article for each text; gold is shown beside the prediction.

    The legend counts the predicted entities of each label.

    Args:
        shown: The texts.
        title: Heading of the page.
        subtitle: The line below it.
        tables: HTML to show above the articles.
    """
    return PAGE.format(
        lang=escape(shown[0].predicted.lang_ if shown else "en"),
        title=escape(title),
        subtitle=escape(subtitle),
        style=STYLE,
        legend=_legend(shown),
        tables=tables,
        articles="\n".join(_article(item) for item in shown),
    )


def _legend(shown: List[Shown]) -> str:
    """The counts as a short text that displaCy marks, so that its colours are the
    page's.
    """
    counts = Counter(ent.label_ for item in shown for ent in item.predicted.ents)
    labels = [label for label in COLORS if counts[label]]
    labels += sorted(set(counts) - set(COLORS))
    text, marks = "", []
    for label in labels:
        number = f"{counts[label]:,}"
        marks.append(_mark(len(text), len(text) + len(number), label))
        text += number + " "
    return _render(text, marks) if marks else "<p>No entities were found.</p>"


def _article(item: Shown) -> str:
    about = [escape(item.source)] if item.source else []
    if item.gold is None:
        if not item.predicted.ents:
            about.append("no entities")
        return _join("article", about, _doc(item.predicted))
    about.append(_agreement(item.gold, item.predicted))
    columns = (("Gold", item.gold), ("Predicted", item.predicted))
    sections = "".join(
        f"<section><h2>{name}</h2>{_doc(doc)}</section>" for name, doc in columns
    )
    return _join("article", about, f'<div class="pair">{sections}</div>')


def _join(tag: str, about: List[str], content: str) -> str:
    head = f"<p>{' · '.join(about)}</p>" if about else ""
    return f"<{tag}>{head}{content}</{tag}>"


def _agreement(gold: Doc, predicted: Doc) -> str:
    """How many entities there are in both, and how many of them agree."""
    expected, found = (
        {(ent.start, ent.end, ent.label_) for ent in doc.ents}
        for doc in (gold, predicted)
    )
    if not expected and not found:
        return "no entities"
    agreed = len(expected & found)
    return f"{len(expected)} gold, {len(found)} predicted, {agreed} agree"


def _doc(doc: Doc) -> str:
    marks = [_mark(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
    return _render(_text(doc), marks)


def _text(doc: Doc) -> str:
    """The text with each known sentence on a line of its own, at the same offsets."""
    text = list(doc.text)
    for token in doc[1:]:
        if token.is_sent_start and doc[token.i - 1].whitespace_:
            text[token.idx - 1] = "\n"
    return "".join(text)


def _mark(start: int, end: int, label: str) -> Dict[str, Any]:
    # displaCy escapes the text, but not the labels
    return {"start": start, "end": end, "label": escape(label)}


def _render(text: str, marks: List[Dict[str, Any]]) -> str:
    settings = {"direction": direction(text)}
    return displacy.render(
        {"text": text, "ents": marks, "settings": settings},
        style="ent",
        manual=True,
        jupyter=False,
        options={"colors": COLORS},
    )
