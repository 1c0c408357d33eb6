"""The sections of `python -m benchmarks.gpu_check`."""
