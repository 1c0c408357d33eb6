"""Files ⇄ Docs: CoNLL in every dialect, DocBin, and the readers that training uses."""
