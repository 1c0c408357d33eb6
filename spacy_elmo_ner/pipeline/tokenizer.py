"""A language's tokenizer that splits words from markup, and joins hyphenated ones."""

import re
from typing import Any, Callable, List

from spacy.lang.char_classes import ALPHA_UPPER
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc, Span
from spacy.util import (
    compile_infix_regex,
    compile_prefix_regex,
    compile_suffix_regex,
    filter_spans,
)

from ..text.invisible import JOINERS, LATIN, UNSEEN

# characters that are not letters, by their names
NAMED = (
    r"(?:&(?:nbsp|ensp|emsp|thinsp|quot|apos|lt|gt|[lr][sda]quo|#39|#x27|#34|#160);)+"
)
# letters may have names, too, in the middle of a word: M&uuml;ller
NO_NAME = "".join(rf"(?<!&[A-Za-z]{{{n}}})" for n in range(2, 9))
# other scripts and emoji need joiners
UNSEEN_AT_START = (rf"[{UNSEEN}]+", rf"[{JOINERS}]+(?={LATIN})")
UNSEEN_AT_END = (
    rf"[{UNSEEN}]+",
    rf"(?<={LATIN})[{JOINERS}]+",
    # a language's rule for full stops looks for a letter before it
    rf"(?<=[{UNSEEN}{JOINERS}])\.",
)
AT_START = (*UNSEEN_AT_START, NAMED, r"(?:&#?\w+;)+\w*", "~~+", r"\\[A-Za-z]+\*?\{")
# between two spaces: [Anna Smith](https://…), <b>Anna Smith</b>,
# <a href="…">Anna Smith</a><br>, Anna Smith[1], Anna&nbsp;Smith, **Anna Smith**,
# [[Anna|A]], "name":"Anna", Anna;Berlin, \\emph{Anna}
MARKUP = (
    r"\]\(",
    r"\]\[",
    r"\[",
    rf"\((?=['{ALPHA_UPPER}])",
    r"(?<=[(\[{,=:])'",
    r"'(?=[)\]},=:])",
    r"</",
    r"<(?=[A-Za-z!])",
    r"(?<=[\w/\"'-])>(?=[\w<])",
    NAMED,
    r"\|",
    r"\*+",
    r"~~+",
    r"`+",
    r"(?<!\w)_+(?=\w)",
    r"(?<=[^\W_])_+(?!\w)",
    r"[\"“”„«»]",
    r"[-=]+>",
    r"(?:\\[nrt])+(?=[^\Wa-z_])",
    rf"{NO_NAME};(?=[{ALPHA_UPPER}\"])",
    r"\\[A-Za-z]+\*?\{",
    r"[{}]",
)
HYPHENATED = re.compile(
    r"[^\W\d_][-\u2010\u00ad][^\S\n\r]*(?:\r\n|[\n\r])[^\S\n\r]*[^\W\d_]"
)


class MarkupTokenizer(Tokenizer):  # type: ignore[misc]
    """A Tokenizer that makes one token of a word hyphenated at the end of a line."""

    def __call__(self, string: str) -> Doc:
        doc: Doc = super().__call__(string)
        words = list(_hyphenated(doc))
        if words:
            with doc.retokenize() as retokenizer:
                for word in filter_spans(words):
                    retokenizer.merge(word)
        return doc

    def __reduce__(self) -> Any:
        return _unpickle, (self.vocab, self.to_bytes())


def _unpickle(vocab: Any, data: bytes) -> MarkupTokenizer:
    tokenizer: MarkupTokenizer = MarkupTokenizer(vocab).from_bytes(data)
    return tokenizer


def _hyphenated(doc: Doc) -> List[Span]:
    found: List[Span] = []
    for place in HYPHENATED.finditer(doc.text):
        word = doc.char_span(*place.span(), alignment_mode="expand")
        assert word is not None
        # "anti-" and "American" are two words
        if word[-1].text[0].islower() or word.text[0].isupper():
            found.append(word)
    return found


def create_tokenizer_v1() -> Callable[[Language], Tokenizer]:
    """`spacy_elmo_ner.Tokenizer.v1`, for [nlp.tokenizer]: `spacy.Tokenizer.v1` that
    also splits where markup or an invisible character touches a word, such as at the
    end of a link's text or of an element, and makes one token of a word hyphenated at
    the end of a line."""
    return make_tokenizer


def make_tokenizer(nlp: Language) -> Tokenizer:
    usual = nlp.Defaults
    infixes = [*(usual.infixes or ()), *MARKUP]
    prefixes = [*AT_START, *(usual.prefixes or ())]
    suffixes = [*UNSEEN_AT_END, NAMED, *(usual.suffixes or ())]
    return MarkupTokenizer(
        nlp.vocab,
        rules=usual.tokenizer_exceptions,
        prefix_search=compile_prefix_regex(prefixes).search,
        suffix_search=compile_suffix_regex(suffixes).search,
        infix_finditer=compile_infix_regex(infixes).finditer,
        token_match=usual.token_match,
        url_match=usual.url_match,
    )
