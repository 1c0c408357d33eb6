import math
import os
import sys
from pathlib import Path
from typing import Dict

import pytest

from spacy_elmo_ner.kernels.cpu_features import _cpu_quota, usable_cpus


@pytest.mark.parametrize(
    "files, expected",
    [
        ({"cpu.max": "50000 100000\n"}, 0.5),
        ({"cpu.max": "max 100000\n"}, math.inf),
        (
            {
                "cpu/cpu.cfs_quota_us": "250000\n",
                "cpu/cpu.cfs_period_us": "100000\n",
            },
            2.5,
        ),
        (
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            math.inf,
        ),
        ({}, math.inf),
        ({"cpu.max": "who knows\n"}, math.inf),
    ],
)
def test_quota_of_a_container(
    tmp_path: Path, files: Dict[str, str], expected: float
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert _cpu_quota(tmp_path) == expected


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason=f"{sys.platform} pins no process"
)
def test_cpus_are_those_that_the_process_may_run_on() -> None:
    before = os.sched_getaffinity(0)
    usable_cpus.cache_clear()
    os.sched_setaffinity(0, {min(before)})
    try:
        assert usable_cpus() == 1
    finally:
        os.sched_setaffinity(0, before)
        usable_cpus.cache_clear()
    assert 1 <= usable_cpus() <= len(before)
