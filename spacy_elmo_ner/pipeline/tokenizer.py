"""A language's tokenizer that parts words from markup."""

from typing import Callable

from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex, registry

# within what stands between two spaces: [Anna Smith](https://…), <b>Anna Smith</b>,
# <a href="…">Anna Smith</a><br>, Anna Smith[1], Anna&nbsp;Smith, **Anna Smith**, [[Anna|A]]
MARKUP = (
    r"\]\(",
    r"\]\[",
    r"\[(?=\d+\])",
    r"</",
    r"<(?=[A-Za-z!])",
    r"(?<=[\w/\"'-])>(?=[\w<])",
    r"&(?:nbsp|ensp|emsp|thinsp|amp|quot|lt|gt|shy|zwnj|zwj);",
    r"\|",
    r"\*+",
    r"~~",
)


def create_tokenizer_v1() -> Callable[[Language], Tokenizer]:
    """`spacy_elmo_ner.Tokenizer.v1`, for [nlp.tokenizer]: `spacy.Tokenizer.v1` that also
    cuts at the end of a link's text and of an element, where markup touches a word."""
    return make_tokenizer


def make_tokenizer(nlp: Language) -> Tokenizer:
    tokenizer = registry.tokenizers.get("spacy.Tokenizer.v1")()(nlp)
    infixes = [*(nlp.Defaults.infixes or ()), *MARKUP]
    tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    return tokenizer
