"""The page of the demo: a text, and its entities in displaCy's colours."""

from html import escape
from typing import Callable, Dict, List, Optional, Sequence

import spacy_streamlit
import streamlit as st
from spacy.displacy.templates import TPL_ENT
from spacy.language import Language

from ..pipeline.colors import COLORS
from ..pipeline.components import docs_before, elmo_ners, with_probabilities
from ..tables.spreadsheet import to_csv
from ..text.direction import direction
from .found import Found, entities

EXAMPLE = (
    "My name is John! Anna Novak flew from Lima to Berlin, where she works for Siemens "
    "and the United Nations."
)
# what a browser shows, and one core reads, in a few seconds
MOST_CHARACTERS = 100_000
READINGS = 10
PROBABILITY = st.column_config.ProgressColumn(
    format="%.3f", min_value=0.0, max_value=1.0
)
MARK = TPL_ENT.replace("{label}", "{label} {probability}")


def page(pipelines: Sequence[str], load: Callable[[str], Language]) -> None:
    """Show the page; Streamlit calls it again whenever a visitor does something.

    Args:
        pipelines: Packages and folders to choose from.
        load: Loads one.
    """
    st.set_page_config(page_title="Named entities", layout="wide")
    st.title("Named entities")
    name = st.sidebar.selectbox("Pipeline", pipelines)
    threshold = st.sidebar.slider(
        "Least probability",
        *(0.0, 1.0, 0.0, 0.01),
        help="Entities that the pipeline is less sure of are left out.",
    )
    file = st.sidebar.file_uploader("Text file", type="txt")
    if file is None:
        text: Optional[str] = st.text_area("Text", EXAMPLE, height=160)
    else:
        text = _decode(file.getvalue())
    if not text or not _is_short(text):
        return
    try:
        found = _read(name, text, load)
    except ValueError as error:
        st.error(escape(str(error)))
        return
    shown = [
        one
        for one in found
        if one["probability"] is None or one["probability"] >= threshold
    ]
    if not shown:
        st.info("No entities were found.")
    _show_text(text, shown)
    if shown:
        _show_table(shown)
    with st.expander("Other readings"):
        _show_readings(name, text, load)


def _decode(content: bytes) -> Optional[str]:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        st.error("The file is not UTF-8. Save it as UTF-8, or paste its text.")
        return None


def _is_short(text: str) -> bool:
    if len(text) <= MOST_CHARACTERS:
        return True
    st.error(
        f"The text has {len(text):,} characters, but at most {MOST_CHARACTERS:,} are "
        "allowed. For long texts, use the command `entities`."
    )
    return False


@st.cache_resource(max_entries=4)
def _loaded(name: str, _load: Callable[[str], Language]) -> Language:
    return with_probabilities(_load(name))


@st.cache_data(max_entries=64)
def _read(name: str, text: str, _load: Callable[[str], Language]) -> List[Found]:
    nlp = _loaded(name, _load)
    return entities(nlp(text))


@st.cache_data(max_entries=64)
def _readings(
    name: str, text: str, _load: Callable[[str], Language]
) -> List[Dict[str, object]]:
    """The best ways in which `elmo_ner` could read the text."""
    nlp = _loaded(name, _load)
    ner = next(iter(elmo_ners(nlp).values()), None)
    if ner is None:
        return []
    (doc,) = docs_before(nlp, ner, [text])
    (readings,) = ner.k_best([doc], READINGS)
    return [
        {
            "probability": reading.probability,
            "entities": [
                f"{doc[start:end]} ({label})" for start, end, label in reading.entities
            ],
        }
        for reading in readings
    ]


def _show_readings(name: str, text: str, load: Callable[[str], Language]) -> None:
    try:
        readings = _readings(name, text, load)
    except ValueError as error:
        st.info(escape(str(error)))
        return
    st.dataframe(readings, hide_index=True, column_config={"probability": PROBABILITY})


def _show_text(text: str, found: List[Found]) -> None:
    # the HTML goes through Markdown, where a carriage return ends a line
    shown = text.replace("\r", " ")
    labels = sorted({escape(one["label"]) for one in found})
    doc = {
        "text": shown,
        "ents": [_mark(one) for one in found],
        "settings": {"direction": direction(shown)},
    }
    if labels:
        spacy_streamlit.visualize_ner(
            [doc],
            labels=labels,
            colors=COLORS,
            manual=True,
            show_table=False,
            title=None,
            # what was chosen among other labels is forgotten
            key=" ".join(labels),
            displacy_options={"template": MARK},
        )
    else:
        st.text(text)


def _mark(one: Found) -> Dict[str, object]:
    sure = one["probability"]
    return {
        "start": one["start"],
        "end": one["end"],
        # displaCy escapes the text, but not the labels
        "label": escape(one["label"]),
        "params": {"probability": "" if sure is None else f"{sure:.2f}"},
    }


def _show_table(found: List[Found]) -> None:
    columns = list(Found.__annotations__)
    st.dataframe(
        found,
        hide_index=True,
        column_config={"probability": PROBABILITY},
    )
    st.download_button(
        "Download CSV", to_csv(found, columns), "entities.csv", "text/csv"
    )
