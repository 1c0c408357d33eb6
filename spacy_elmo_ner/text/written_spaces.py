"""Where there are spaces between English tokens when written as text."""

from typing import List, Sequence

# what attaches to the previous word, and what to the next
CLOSE_BEFORE = frozenset(". , ; : ! ? ) ] } % ... … '' ” ’".split())
CLOSE_AFTER = frozenset("( [ { $ £ € # `` “ ‘".split())
# parts of a word that treebanks cut off
CLITICS = frozenset("'s 's 'd 'm 're 've 'll n't ’s ’d ’m ’re ’ve ’ll n’t".split())
# opens and closes by turns
QUOTES = frozenset("\" '".split())


def written_spaces(words: Sequence[str]) -> List[bool]:
    """Whether a space follows each token of a sentence, as it would be written.

    The original spacing cannot be known: "-" and "/" keep their spaces.
    """
    spaces = [True] * len(words)
    is_open = dict.fromkeys(QUOTES, False)
    for i, word in enumerate(words):
        closes = word in CLOSE_BEFORE or word.lower() in CLITICS
        opens = word in CLOSE_AFTER
        if word in QUOTES:
            closes, opens = is_open[word], not is_open[word]
            is_open[word] = opens
        if closes and i:
            spaces[i - 1] = False
        if opens:
            spaces[i] = False
    return spaces
