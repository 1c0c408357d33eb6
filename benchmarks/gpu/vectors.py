"""Vectors on the device against the CPU's."""

from typing import List

from ..texts import Sentences
from .device import Device
from .networks import EXACT, ROUNDED, differences, encode, is_within, on_cpu, on_device
from .report import Report

SENTENCES = 64


def compare_vectors(
    report: Report,
    device: Device,
    sizes: List[str],
    precisions: List[str],
    sentences: Sentences,
) -> None:
    report(
        f"## Vectors against the CPU's\n\nBars: float32 {EXACT:.0e}, the others "
        f"{ROUNDED:.0e} of the norm."
    )
    differ = "largest difference", "norm of differences / norm"
    report.table("size", "precision", *differ, "within", n_names=2)
    for size in sizes:
        expected = encode(on_cpu(size), sentences[:SENTENCES])
        for precision in precisions:

            def cells(size: str = size, precision: str = precision) -> str:
                network = on_device(size, precision, device)
                found = encode(network, sentences[:SENTENCES])
                difference = differences(found, expected)  # noqa: B023
                within = "yes" if is_within(difference, precision) else "NO"
                return " | ".join([*(f"{one:.1e}" for one in difference), within])

            report.row(size, precision, report.cell(cells))
