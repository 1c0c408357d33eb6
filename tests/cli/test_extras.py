import pytest

from spacy_elmo_ner.cli.extras import check_extra


def test_what_is_missing_is_named() -> None:
    check_extra("serve", "json")
    with pytest.raises(ImportError, match=r"needs no_such; .*spacy-elmo-ner\[serve\]"):
        check_extra("serve", "json", "no_such")
