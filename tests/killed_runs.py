"""Runs code again and again in processes that are killed at some step of theirs.

`python killed_runs.py CODE FOLDER N`: CODE is a file of Python that defines run(output).
It is run into FOLDER/whole, then into FOLDER/0, FOLDER/1 and so on, killed in each at
another of N random steps, every change of the file system being one, and once more
without a kill. Processes are forked after the imports, which take most of the time.
"""

import os
import random
import runpy
import signal
import sys
from pathlib import Path
from typing import Any, Callable, Optional

STEPS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod")


def fork(run: Callable[[Path], Any], output: Path, kill_at: Optional[int]) -> int:
    """The number of steps that there were, or -1 when it was killed."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.close(reading)
            done = count_steps(kill_at)
            run(output)
            os.write(writing, str(done[0]).encode())
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    with open(reading, encoding="utf8") as pipe:
        count = pipe.read()
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return -1
    assert status == 0, f"{output}, killed at {kill_at}: {status}"
    return int(count)


def count_steps(kill_at: Optional[int]) -> "list[int]":
    done = [0]

    def audit(event: str, arguments: Any) -> None:
        is_new = event == "open" and isinstance(arguments[2], int)
        if event in STEPS or (is_new and arguments[2] & os.O_CREAT):
            if done[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            done[0] += 1

    sys.addaudithook(audit)
    return done


def main(code: str, folder: str, n: str) -> None:
    run = runpy.run_path(code)["run"]
    count = fork(run, Path(folder, "whole"), None)
    moments = random.Random(0).sample(range(count), min(int(n), count))
    for i, moment in enumerate(sorted(moments)):
        output = Path(folder, str(i))
        assert fork(run, output, moment) == -1, f"step {moment} never came"
        fork(run, output, None)


if __name__ == "__main__":
    main(*sys.argv[1:])
