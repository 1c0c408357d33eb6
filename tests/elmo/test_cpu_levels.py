"""Products and vectors on the CPUs that this machine can pass for.

Libraries choose their kernels by the CPU, and can be told to do with less than there is.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spacy_elmo_ner.kernels.packed_products import has_onednn

TESTS_FOLDER = Path(__file__).parent.parent
TESTS = [
    "kernels/test_packed_products.py",
    "kernels/test_int8_products.py",
    "elmo/test_same_text_same_vectors.py::test_alone_and_in_a_batch_in_any_precision",
]
# oneDNN's name, torch's own kernels beside it, and what tells that the CPU has it
LEVELS = {
    "SSE41": ("default", "sse4_1"),
    "AVX2": ("avx2", "avx2"),
    "AVX2_VNNI": ("avx2", "avx_vnni"),
    "AVX512_CORE": ("avx512", "avx512_bw"),
    "AVX512_CORE_VNNI": ("avx512", "avx512_vnni"),
    "AVX512_CORE_BF16": ("avx512", "avx512_bf16"),
    "AVX512_CORE_AMX": ("avx512", "amx_tile"),
}


@pytest.mark.skipif(
    not has_onednn() or not hasattr(torch.cpu, "get_capabilities"),
    reason="this torch cannot tell what the CPU has",
)
@pytest.mark.parametrize("level", LEVELS)
def test_a_lesser_cpu_keeps_what_each_precision_promises(level: str) -> None:
    aten, needed = LEVELS[level]
    if not torch.cpu.get_capabilities().get(needed):
        pytest.skip(f"this CPU has no {level}")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        + [str(TESTS_FOLDER / test) for test in TESTS],
        env={
            **os.environ,
            "ONEDNN_MAX_CPU_ISA": level,
            "ATEN_CPU_CAPABILITY": aten,
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-3000:]
