"""displaCy's colours for the CoNLL labels; it has none of its own for PER and MISC."""

# Four of Paul Tol's "light" colours (Colour Schemes, SRON/EPS/TN/09-002), which he made
# for labelled cells with dark text. Of all sets of four, these stay furthest apart in
# the three kinds of colour blindness.
COLORS = {"PER": "#77AADD", "LOC": "#BBCC33", "ORG": "#EE8866", "MISC": "#FFAABB"}
