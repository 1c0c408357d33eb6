"""Checksums of files and folders."""

import hashlib
from pathlib import Path

BLOCK = 1 << 20


def file_checksum(path: Path) -> str:
    """SHA-256 of a file, or of all files in a folder."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_dir():
            continue
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()
