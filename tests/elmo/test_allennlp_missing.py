from importlib.util import find_spec

import pytest

from spacy_elmo_ner.elmo.allennlp import build_allennlp_elmo_v1


@pytest.mark.skipif(find_spec("allennlp") is not None, reason="AllenNLP is installed.")
def test_without_allennlp_it_says_how_to_do_without() -> None:
    with pytest.raises(ValueError, match=r"cannot import AllenNLP.*Elmo\.v1"):
        build_allennlp_elmo_v1()
