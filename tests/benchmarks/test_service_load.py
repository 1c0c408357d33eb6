"""The service under the load of a few clients, for real."""

import re
import socket
from typing import Callable

import pytest

from benchmarks.service_load import are_same


def test_a_row_for_each_number_of_workers(printed_by: Callable[..., str]) -> None:
    pytest.importorskip("fastapi", reason='the extra "serve" is not installed')
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = "--limit 20 --clients 3 --seconds 1 --warm-up 1 --workers 1 --port"
    printed = printed_by("service_load", *options.split(), port)
    numbers = r"\| ([1-9][\d,]*) " * 5
    found = re.findall(
        rf"^\| 1 {numbers}\| 0 \| ([\d,]+) \| ([\d,]+) \|$", printed, re.M
    )
    assert len(found) == 1


def test_other_entities_are_told() -> None:
    one = {"text": "John", "label": "PER", "probability": 0.9}
    assert are_same([one], [{**one, "probability": 0.9004}])
    assert not are_same([one], [{**one, "probability": 0.8}])
    assert not are_same([one], [{**one, "label": "LOC"}])
    assert not are_same([one], [])
