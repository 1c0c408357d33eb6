"""A student and its teachers."""

import math
from pathlib import Path
from typing import Any, Dict, List, Tuple, cast

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, fix_random_seed
from thinc.model import Model

from spacy_elmo_ner.elmo.cache_loader import use_elmo_cache
from spacy_elmo_ner.elmo.loader import elmo_nodes
from spacy_elmo_ner.pipeline.distillation import Distillation, ensemble
from spacy_elmo_ner.pipeline.elmo_ner import ElmoNer
from tests.elmo.conftest import SMALL
from tests.pipeline.small_model import SMALL_MODEL, TEXTS, examples_of, train


def teacher(seed: int, labels: List[str], steps: int = 25) -> Language:
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    for label in labels:
        pipe.add_label(label)
    train(nlp, examples_of(nlp), steps)
    return nlp


@pytest.fixture(scope="module")
def teachers() -> List[Language]:
    first, second = teacher(0, ["LOC", "PERSON"]), teacher(1, ["PERSON", "LOC"])
    second.get_pipe("elmo_ner").cfg["temperature"] = 1.5
    return [first, second]


TOK2VEC = {"width": 8, "depth": 1, "embed_size": 50, "subword_features": False}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 8, "upstream": "*"}
LISTENING: Dict[str, Any] = {
    "tagger": {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER},
    "elmo_ner": {**SMALL_MODEL, "tok2vec": LISTENER},
}

Readings = Dict[Tuple[Tuple[int, int, str], ...], float]


def readings(nlp: Language, doc: Doc) -> Readings:
    """The probability of each way to read a Doc."""
    (found,) = nlp.get_pipe("elmo_ner").k_best([doc], 10_000)
    return {tuple(sorted(reading.entities)): reading.probability for reading in found}


def test_an_ensemble_is_the_geometric_mean_of_what_its_taggers_say(
    teachers: List[Language],
) -> None:
    doc = teachers[0].make_doc("Shaka likes Berlin")
    first, second = (readings(nlp, doc) for nlp in teachers)
    assert first.keys() == second.keys() and len(first) > 20
    means = {key: math.sqrt(first[key] * second[key]) for key in first}
    total = sum(means.values())
    nlp = teacher(2, ["LOC", "PERSON"], steps=1)
    pipe = cast(ElmoNer, nlp.get_pipe("elmo_ner"))
    pipe.model = ensemble(pipe, teachers)
    for key, probability in readings(nlp, doc).items():
        assert probability == pytest.approx(means[key] / total, abs=1e-5)


def listening() -> Language:
    """A teacher that reads what another component makes."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    pipe = nlp.add_pipe("elmo_ner", config={"model": LISTENING["elmo_ner"]})
    for label in ("LOC", "PERSON"):
        pipe.add_label(label)
    return nlp


def gradients(model: "Model[Any, Any]") -> Dict[Any, Any]:
    found: Dict[Any, Any] = {}
    for place, node in enumerate(model.walk()):
        for shim in node.shims:
            for name, value in shim.module.named_parameters():
                found[place, name] = None if value.grad is None else value.grad.clone()
                value.grad = None
    return found


def teach(
    nlp: Language, distillation: Any, examples: List[Example]
) -> Dict[str, float]:
    losses: Dict[str, float] = {}
    distillation(nlp, examples, drop=0.0, losses=losses, exclude=[], annotates=[])
    return losses


def test_gold_and_teachers_count_by_their_shares(teachers: List[Language]) -> None:
    nlp = teacher(2, ["LOC", "PERSON"], steps=3)
    model, examples = nlp.get_pipe("elmo_ner").model, examples_of(nlp)
    gradients(model)
    losses: Dict[float, float] = {}
    found: Dict[float, Dict[Any, Any]] = {}
    for share in (0.0, 0.25, 1.0):
        distillation = Distillation(teachers, gold_share=share)
        losses[share] = teach(nlp, distillation, examples)["elmo_ner"]
        found[share] = gradients(model)
    of_gold: Dict[str, float] = {}
    nlp.update(examples, sgd=False, losses=of_gold)  # type: ignore[arg-type]
    assert losses[1.0] == pytest.approx(of_gold["elmo_ner"])
    assert losses[0.25] == pytest.approx(0.25 * losses[1.0] + 0.75 * losses[0.0])
    for key, gradient in gradients(model).items():
        assert found[1.0][key].numpy() == pytest.approx(gradient.numpy(), abs=1e-6)
        mixed = 0.25 * found[1.0][key] + 0.75 * found[0.0][key]
        assert found[0.25][key].numpy() == pytest.approx(mixed.numpy(), abs=1e-6)


def test_a_student_learns_from_text_alone_what_its_teachers_know(
    trained: Language,
) -> None:
    fix_random_seed(5)
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", config={"model": SMALL_MODEL})
    nlp.initialize(lambda: examples_of(nlp))
    optimizer = Adam(0.01)
    texts = [text for text, _ in TEXTS]
    bare = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in texts]
    distillation = Distillation([trained])
    assert not any(nlp(text).ents for text in texts)
    for _ in range(60):
        teach(nlp, distillation, bare)
        nlp.get_pipe("elmo_ner").finish_update(optimizer)
    for text in texts:
        expected = [(ent.text, ent.label_) for ent in trained(text).ents]
        assert [(ent.text, ent.label_) for ent in nlp(text).ents] == expected


def test_teachers_with_the_students_bilm_read_its_cache(tmp_path: Path) -> None:
    def pipeline(seed: int) -> Language:
        fix_random_seed(seed)
        nlp = spacy.blank("en")
        elmo = {"@architectures": "spacy_elmo_ner.Elmo.v1", **SMALL}
        nlp.add_pipe("elmo_ner", config={"model": {**SMALL_MODEL, "tok2vec": elmo}})
        nlp.initialize(lambda: examples_of(nlp))
        return nlp

    def batches_of(nlp: Language) -> List[Any]:
        """What its biLM computes from now on."""
        found: List[Any] = []
        (node,) = elmo_nodes(nlp)
        node.shims[0].module.encoder.bilm.register_forward_hook(
            lambda module, inputs, output: found.append(output)
        )
        return found

    def first_loss(nlp: Language, teachers: List[Language]) -> float:
        distillation = Distillation(teachers, gold_share=0.0)
        return teach(nlp, distillation, examples_of(nlp))["elmo_ner"]

    exact = first_loss(pipeline(0), [pipeline(0), pipeline(1)])
    nlp, alike, unlike = pipeline(0), pipeline(0), pipeline(1)
    use_elmo_cache(nlp, folder=tmp_path, max_gigabytes=1.0)
    computed = [batches_of(one) for one in (nlp, alike, unlike)]
    assert first_loss(nlp, [alike, unlike]) == pytest.approx(exact, rel=1e-2)
    assert computed[0] and computed[2] and not computed[1]
    assert len(list(tmp_path.glob("*.sqlite"))) == 2


def test_other_components_learn_as_ever(trained: Language) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("elmo_ner", source=trained)
    nlp.add_pipe("textcat").add_label("A")
    nlp.get_pipe("textcat").add_label("B")
    examples = examples_of(nlp)
    for example in examples:
        example.reference.cats = {"A": 1.0, "B": 0.0}
    nlp.initialize(lambda: examples)
    losses = teach(nlp, Distillation([trained]), examples)
    assert losses["textcat"] > 0 and losses["elmo_ner"] > 0


def take_gradients(nlp: Language) -> List[Any]:
    """Those of the tok2vec, which are set to zero."""
    found = []
    for node in nlp.get_pipe("tok2vec").model.walk():
        for name in node.grad_names:
            gradient = node.get_grad(name)
            found.append(gradient.copy())
            gradient[...] = 0
    return found


@pytest.mark.parametrize("names", [["elmo_ner", "tagger"], ["tagger", "elmo_ner"]])
def test_a_shared_tok2vec_learns_from_all_its_listeners(
    trained: Language, names: List[str]
) -> None:
    """It has its gradient from the last one, whichever that is."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    for name in names:
        nlp.add_pipe(name, config={"model": LISTENING[name]})
    examples = examples_of(nlp)
    for example in examples:
        for token in example.reference:
            token.tag_ = "X" if token.is_title else "Y"
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(3):
        nlp.update(examples, sgd=optimizer)
    take_gradients(nlp)
    teach(nlp, Distillation([trained], gold_share=1.0), examples)
    taught = take_gradients(nlp)
    nlp.update(examples, sgd=False)  # type: ignore[arg-type]
    for one, other in zip(taught, take_gradients(nlp), strict=True):
        assert abs(other).max() > 0
        assert one == pytest.approx(other, abs=1e-5)


def test_sentences_of_an_annotating_component_are_read(trained: Language) -> None:
    seen: List[bool] = []

    class Watched(Distillation):
        def _loss(self, pipe: Any, teacher: Any, examples: Any, scores: Any) -> Any:
            seen.extend(one.x.has_annotation("SENT_START") for one in examples)
            return super()._loss(pipe, teacher, examples, scores)

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("elmo_ner", source=trained)
    for annotates in ([], ["sentencizer"]):
        distillation, losses = Watched([trained]), {}  # type: ignore[var-annotated]
        examples = examples_of(nlp)
        settings = {"drop": 0.0, "losses": losses, "exclude": []}
        distillation(nlp, examples, annotates=annotates, **settings)  # type: ignore[arg-type]
    assert seen == [False] * 3 + [True] * 3


def test_without_a_student_the_teachers_do_not_teach(trained: Language) -> None:
    for nlp, exclude in ((spacy.blank("en"), []), (trained, ["elmo_ner"])):
        with pytest.raises(ValueError, match="no student"):
            Distillation([trained])(
                nlp, [], drop=0.0, losses={}, exclude=exclude, annotates=[]
            )


def test_teachers_that_do_not_fit_are_named(teachers: List[Language]) -> None:
    nlp = teacher(2, ["LOC", "PERSON"], steps=1)
    with pytest.raises(ValueError, match="no teacher"):
        Distillation([])
    with pytest.raises(ValueError, match="gold_share is 2.*0"):
        Distillation(teachers, gold_share=2)
    for other, message in (
        (spacy.blank("en"), "en_pipeline has no component 'elmo_ner'"),
        (teacher(3, ["LOC", "PERSON", "ORG"], steps=1), "labels LOC, PERSON, ORG"),
        (listening(), "listens to a tok2vec"),
    ):
        with pytest.raises(ValueError, match=message):
            teach(nlp, Distillation([teachers[0], other]), examples_of(nlp))


def test_the_command_can_be_continued(tmp_path: Path) -> None:
    """The checkpoint also knows the teachers."""
    from typer.testing import CliRunner

    from spacy_elmo_ner.cli.app import app
    from tests.training.conftest import CONFIG

    text = tmp_path / "text.txt"
    text.write_text("Who is in Berlin?\n\nI like London.\n", encoding="utf8")
    sample = Path(__file__).parents[2] / "assets" / "sample"
    config = CONFIG.replace("max_steps = 40", "max_steps = 6")
    config = config.replace("eval_frequency = 8", "eval_frequency = 3")
    config = config.replace("path = ${paths.dev}", "path = ${paths.dev}\nlimit = 20")
    config = config.replace(
        """[corpora.train]
@readers = "spacy_elmo_ner.ConllCorpus.v1"
path = ${paths.train}
""",
        f"""[corpora.train]
@readers = "spacy_elmo_ner.JoinedCorpus.v1"

[corpora.train.augmenter]
@augmenters = "spacy_elmo_ner.TextVariants.v1"
raw = 0.5
lower = 0.5

[corpora.train.corpora]

[corpora.train.corpora.gold]
@readers = "spacy_elmo_ner.ConllCorpus.v1"
path = ${{paths.train}}

[corpora.train.corpora.text]
@readers = "spacy_elmo_ner.RawText.v1"
path = "{text.as_posix()}"
""",
    )
    plain = tmp_path / "plain.cfg"
    plain.write_text(config, encoding="utf8")
    taught = tmp_path / "taught.cfg"
    names = [str(tmp_path / name / "model-last") for name in ("a", "b")]
    block = f"\n[distillation]\nteachers = {names}\ngold_share = 0.5\n".replace(
        "'", '"'
    )
    taught.write_text(config + block, encoding="utf8")

    def run(config: Path, output: str, *settings: str) -> str:
        paths = [f"--paths.{name}={sample}/{name}.conll" for name in ("train", "dev")]
        command = ["train", str(config), "--output", str(tmp_path / output)]
        done = CliRunner().invoke(app, [*command, *paths, *settings])
        return f"{done.exit_code} {done.output} {done.exception}"

    for output, seed in (("a", 0), ("b", 1)):
        assert run(plain, output, f"--training.seed={seed}").startswith("0")
    assert run(taught, "whole").startswith("0")
    assert run(taught, "parts", "--training.max_steps=3").startswith("0")
    assert run(taught, "parts").startswith("0")
    weights = [tmp_path / name / "model-last" / "elmo_ner" / "model" for name in "ab"]
    of_whole, of_parts = (
        (tmp_path / name / "model-last" / "elmo_ner" / "model").read_bytes()
        for name in ("whole", "parts")
    )
    assert of_whole == of_parts != weights[0].read_bytes()
    # another teacher in the place of one
    assert run(plain, "a", "--force", "--training.seed=7").startswith("0")
    assert "has changed since the checkpoint" in run(taught, "whole")
    for setting, message in (
        ("teachers=one", "teachers in [distillation] is 'one'; give a list"),
        ("teachers=[]", "There is no teacher"),
        ("gold_share=half", "gold_share in [distillation] is 'half'"),
        ("gold_share=true", "gold_share in [distillation] is True"),
    ):
        assert message in run(taught, "new", f"--distillation.{setting}")
