"""Files ⇄ Docs: CoNLL in every dialect, JSON of annotation tools, DocBin, and the
readers that training uses."""
