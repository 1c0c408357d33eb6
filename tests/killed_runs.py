"""Runs code again and again in processes that are killed at some moment of theirs.

`python killed_runs.py CODE FOLDER N`: CODE is a file of Python that defines RUNS,
functions of an output folder by their names. Each runs into FOLDER/NAME/whole, then into
FOLDER/NAME/0, FOLDER/NAME/1 and so on: killed N times, and once more after each without a
kill. The moments are random steps, every change of the file system being one; when there
are fewer than N steps, all of them, and random times for the rest. Processes are forked
when all is imported and has run once, which takes most of the time.
"""

import gc
import os
import random
import runpy
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any, Callable, Optional

STEPS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod")


def fork(
    run: Callable[[Path], Any],
    output: Path,
    *,
    at_step: Optional[int] = None,
    after: Optional[float] = None,
) -> int:
    """The number of steps that there were, or -1 when it was killed.

    after: seconds until the kill.
    """
    output.mkdir(exist_ok=True)
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.close(reading)
            done = count_steps(at_step)
            run(output)
            os.write(writing, str(done[0]).encode())
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    if after is not None:
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
    with open(reading, encoding="utf8") as pipe:
        count = pipe.read()
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return -1
    assert status == 0, f"{output}, killed at {at_step} or after {after}: {status}"
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


def kill_often(run: Callable[[Path], Any], folder: Path, n: int) -> None:
    (folder / "warm").mkdir(parents=True)
    run(folder / "warm")
    shutil.rmtree(folder / "warm")
    # else each forked process copies what its garbage collector looks at
    gc.freeze()
    started = time.monotonic()
    count = fork(run, folder / "whole")
    seconds = time.monotonic() - started
    moments = random.Random(0)
    steps = sorted(moments.sample(range(count), min(n, count)))
    for i, step in enumerate(steps):
        assert fork(run, folder / str(i), at_step=step) == -1, f"no step {step}"
        fork(run, folder / str(i))
    for i in range(len(steps), n):
        fork(run, folder / str(i), after=moments.uniform(0, seconds))
        fork(run, folder / str(i))


def main(code: str, folder: str, n: str) -> None:
    for name, run in runpy.run_path(code)["RUNS"].items():
        kill_often(run, Path(folder, name), int(n))


if __name__ == "__main__":
    main(*sys.argv[1:])
