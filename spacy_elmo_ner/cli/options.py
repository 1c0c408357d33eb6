"""Options that several commands have."""

import typer

CODE = typer.Option(
    None, "--code", "-c", help="Python file with registered functions to import"
)
GPU_ID = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, or -1 for the CPU")
REPLACE = typer.Option(
    False, "--force", "-F", help="Replace what is there, whoever wrote it"
)
