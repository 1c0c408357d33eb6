"""What each part of the default pipeline brings: `python -m benchmarks.parts`.

Trains configs/conll_elmo.cfg with some of it left out or changed, from several seeds, and
prints F1 on the development part. What is trained stays in the output folder, so that it
can be done bit by bit, and by several processes with other parts or seeds.
"""

import re
import statistics
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, TypeVar

import typer
from spacy import registry
from spacy.tokens import Doc
from spacy.util import load_config
from thinc.api import Config, Model, chain

from spacy_elmo_ner.pipeline.default_model import DEFAULT_MODEL
from spacy_elmo_ner.training.loop import train as train_pipeline
from spacy_elmo_ner.training.progress import read_history

CONFIGS = Path(__file__).parent.parent / "configs"
BASE = CONFIGS / "conll_elmo.cfg"
EVALUATIONS = 3  # in a training
# what a tok2vec gives
V = TypeVar("V")

WHOLE_DOCS = "benchmarks.WholeDocs.v1"


def with_elmo(**changes: Any) -> List[Dict[str, Any]]:
    return [CHARACTERS, {**ELMO, **changes}, LEXEMES, VECTORS]


# what ElmoWithWordFeatures.v1 joins, from the configs that have each by itself
_without = load_config(CONFIGS / "conll_features.cfg")["components"]["elmo_ner"]
CHARACTERS, LEXEMES, VECTORS = _without["model"]["tok2vec"]["tok2vecs"].values()
ELMO = {
    "@architectures": "spacy_elmo_ner.Elmo.v1",
    **load_config(CONFIGS / "pretrain.cfg")["model"],
}
ALL = with_elmo()

# tok2vecs, and what else of the config is changed
PARTS: Dict[str, Dict[str, Any]] = {
    "character CNN": {"tok2vecs": [CHARACTERS]},
    "+ Brown clusters, shape, casing": {"tok2vecs": [CHARACTERS, LEXEMES]},
    "+ GloVe": {"tok2vecs": [CHARACTERS, LEXEMES, VECTORS]},
    "+ ELMo: all": {"tok2vecs": ALL},
    "ELMo alone": {"tok2vecs": [ELMO]},
    "all, ELMo's first LSTM layer": {"tok2vecs": with_elmo(layer="lstm_outputs1")},
    "all, ELMo's second LSTM layer": {"tok2vecs": with_elmo(layer="lstm_outputs2")},
    "all, ELMo starting warm": {"tok2vecs": with_elmo(start_state="warm")},
    "all, ELMo reading on to the end of the Doc": {
        "tok2vecs": [
            CHARACTERS,
            {"@architectures": WHOLE_DOCS, "tok2vec": ELMO},
            LEXEMES,
            VECTORS,
        ]
    },
    "all, fine-tuned ELMo": {"tok2vecs": with_elmo(frozen=False)},
    "all, fine-tuned ELMo at a tenth of the rate": {
        "tok2vecs": with_elmo(frozen=False),
        "before_update": {"@callbacks": "spacy_elmo_ner.ElmoFineTuning.v1"},
    },
    "all, without the Doc": {"tok2vecs": ALL, "document_width": 0},
    "all, BIO": {"tok2vecs": ALL, "tag_scheme": "BIO"},
    "all, weights not averaged": {"tok2vecs": ALL, "use_averages": False},
    "all, a fifth of the Docs in lower case": {"tok2vecs": ALL, "lower_case": 0.2},
}

app = typer.Typer(add_completion=False)


@app.command()
def main(
    output: Path = typer.Argument(..., help="Folder for what is trained"),
    train: Path = typer.Option(..., help="Corpus to train on, or a folder of them"),
    dev: Path = typer.Option(..., help="Corpus to measure on"),
    vectors: Path = typer.Option(..., help="What `vectors` wrote"),
    elmo: Path = typer.Option(..., help="ELMo weights"),
    steps: int = typer.Option(1350, help="Updates of each training"),
    seed: List[int] = typer.Option([0, 1, 2], help="Seeds"),
    part: List[str] = typer.Option(list(PARTS), help="Rows of the table"),
) -> None:
    """Train what is not trained yet, and print F1 for each part."""
    for name in part:
        if name not in PARTS:
            raise typer.BadParameter(f"no {name!r}; there are {', '.join(PARTS)}")
    paths = dict(train=train, dev=dev, vectors=vectors, elmo=elmo)
    paths["elmo_cache"] = output / "elmo_cache"
    scores: Dict[str, List[float]] = {name: [] for name in part}
    for one in seed:
        for name in part:
            config = config_of(PARTS[name], steps)
            config["paths"].update({key: str(path) for key, path in paths.items()})
            config["system"]["seed"] = one
            folder = output / f"{re.sub(r'[^a-z]+', '_', name, flags=re.I)}_{one}"
            scores[name].append(100 * best_score(config, folder))
    print(f"\n| {steps:,} updates | seeds | F1, mean | deviation |")
    print("| --- | --: | --: | --: |")
    for name, found in scores.items():
        spread = statistics.stdev(found) if len(found) > 1 else 0
        mean = statistics.mean(found)
        print(f"| {name} | {len(found)} | {mean:.2f} | {spread:.2f} |")


def config_of(part: Dict[str, Any], steps: int) -> Config:
    config = load_config(BASE, interpolate=False)
    component = config["components"]["elmo_ner"]
    component["tag_scheme"] = part.get("tag_scheme", component["tag_scheme"])
    width = part.get("document_width", DEFAULT_MODEL["document_width"])
    tok2vecs = part["tok2vecs"]
    tok2vec = {
        "@architectures": "spacy_elmo_ner.JoinedTok2Vec.v1",
        "tok2vecs": {f"tok2vec{i}": one for i, one in enumerate(tok2vecs)},
    }
    component["model"] = {**DEFAULT_MODEL, "document_width": width, "tok2vec": tok2vec}
    training = config["training"]
    training["max_steps"] = steps
    training["eval_frequency"] = steps // EVALUATIONS
    training["optimizer"]["learn_rate"]["total_steps"] = steps + 50
    training["optimizer"]["use_averages"] = part.get("use_averages", True)
    training["logger"]["progress_bar"] = False
    if "before_update" in part:
        training["before_update"] = part["before_update"]
    config["corpora"]["train"]["augmenter"]["level"] = part.get("lower_case", 0.0)
    readers = [one.get("tok2vec", one) for one in tok2vecs]
    elmo = [one for one in readers if one["@architectures"].endswith(".Elmo.v1")]
    if not elmo:
        del config["initialize"]["before_init"]
    if not elmo or not elmo[0].get("frozen", True):
        del config["initialize"]["after_init"]
    return config


def build_whole_docs(tok2vec: Model[List[Doc], V]) -> Model[List[Doc], V]:
    """tok2vec on Docs that are one sentence each."""
    return chain(Model("whole_docs", as_one_sentence), tok2vec)


registry.architectures(WHOLE_DOCS, func=build_whole_docs)


def as_one_sentence(
    model: Model[List[Doc], List[Doc]], docs: List[Doc], is_train: bool
) -> Tuple[List[Doc], Callable[[Any], List[Doc]]]:
    whole = [
        Doc(
            doc.vocab,
            words=[token.text for token in doc],
            sent_starts=[token.i == 0 for token in doc],
        )
        for doc in docs
    ]
    return whole, lambda gradient: []


def best_score(config: Config, folder: Path) -> float:
    """The best evaluation's F1, of a training that may be there already.

    Raises ValueError if the one that is there had other texts, vectors or weights.
    """
    trained = folder / "model-last" / "config.cfg"
    steps = config["training"]["max_steps"]
    if not trained.exists() or read_history(folder)[-1]["step"] < steps:
        train_pipeline(config, folder)
    elif not config["paths"].items() <= load_config(trained)["paths"].items():
        raise ValueError(
            f"{folder} was trained with other paths; choose another folder for these."
        )
    return max(float(entry["score"]) for entry in read_history(folder))


if __name__ == "__main__":
    app()
