"""Without pandas one sentence says how to get it."""

import subprocess
import sys

CODE = """
import sys
sys.modules["pandas"] = None
import spacy_elmo_ner
try:
    spacy_elmo_ner.predict
except ImportError as error:
    print(error)
import spacy_elmo_ner.tables.levels
"""


def test_pandas_is_named_where_it_is_absent() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'pip install "spacy-elmo-ner[frames]"' in done.stdout
    assert len(done.stdout.splitlines()) == 1
