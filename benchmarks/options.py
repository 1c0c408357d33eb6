"""Options that several benchmarks have."""

import typer

CONLL = typer.Option(
    None, help="CoNLL file to read, such as eng.testa; made sentences if left out."
)
REAL_CONLL = typer.Option(..., help="CoNLL file to read, such as eng.testa.")
