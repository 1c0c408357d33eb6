"""Spark beside nlp.pipe, measured for real on a few made sentences."""

import re
from typing import Callable

import pytest

from tests.spark.conftest import why_no_spark


def test_a_row_for_each_way(printed_by: Callable[..., str]) -> None:
    if reason := why_no_spark():
        pytest.skip(reason)
    printed = printed_by("spark_speed", "--limit", "40", "--rounds", "1")
    rows = re.findall(r"^\| (.+) \| [1-9][\d,]* \| [1-9][\d,]* \|$", printed, re.M)
    assert len(rows) == len(set(rows)) == 4
