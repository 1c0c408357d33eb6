"""Characters that nobody sees, as classes of regular expressions.

These are Unicode's controls and formats (general categories Cc and Cf) and some fillers.
White space is not among them, nor are the formats that are seen, such as the signs before
numbers in Arabic and Syriac (property Prepended_Concatenation_Mark).
"""

import re

# Control, format and filler characters, such as a byte order mark, a zero-width space
# or a direction mark.
UNSEEN = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    r"\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0"
    r"\ufff9-\ufffb"
)
# What belongs to its neighbours: selectors of variants, tags of emoji, formats of
# hieroglyphs, shorthand and music.
SELECTORS = (
    r"\u180b-\u180d\u180f\ufe00-\ufe0f\U00013430-\U0001343f\U00016fe4"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
    r"\U000e0100-\U000e01ef"
)
INVISIBLE = re.compile(f"[{UNSEEN}{SELECTORS}]")

# Some scripts need joiners between letters, and emoji to make one of several; next to
# Latin letters and at the ends of a word they do nothing.
JOINERS = r"\u200c\u200d"
LATIN = r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"
NEEDLESS_JOINERS = re.compile(f"(?<={LATIN})[{JOINERS}]+|^[{JOINERS}]+|[{JOINERS}]+$")
