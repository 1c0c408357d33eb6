"""Printing text from anywhere: control characters neither move the cursor nor break
lines.
"""

import re

import typer

# control characters, the two separators that end lines elsewhere, lone surrogates
CONTROLS = "\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
IN_LINES = re.compile(f"(?![\t\n])[{CONTROLS}]")
IN_ONE_LINE = re.compile(rf"[{CONTROLS}\\]")
SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r", "\\": r"\\"}


def escaped(text: str) -> str:
    r"""The text on one line of printable characters, escaped as in Python's strings: a
    tab is \t, ESC is \x1b, a backslash \\."""
    return IN_ONE_LINE.sub(_escape, text)


def escaped_lines(text: str) -> str:
    """The same for a text that people read: its lines, tabs and backslashes stay."""
    return IN_LINES.sub(_escape, text)


def echo(text: str, *, err: bool = False) -> None:
    """Print a text that people read, to standard output or standard error."""
    typer.echo(escaped_lines(text), err=err)


def _escape(match: "re.Match[str]") -> str:
    code = ord(match[0])
    return SHORT.get(match[0]) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
