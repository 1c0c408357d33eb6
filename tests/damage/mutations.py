"""Damaged copies of a file's bytes: the same ones each time."""

import random
from itertools import cycle
from typing import Iterator


def mutations(data: bytes, n: int, *, seed: int = 0) -> Iterator[bytes]:
    """n copies that differ from the original, by a kind of damage in turn."""
    chance = random.Random(seed)
    made = 0
    for damage in cycle([_flip, _cut, _zero, _swap, _insert, _replace]):
        damaged = bytearray(data)
        damage(damaged, chance)
        if made == n:
            return
        if bytes(damaged) != data:
            made += 1
            yield bytes(damaged)


def _place(data: bytearray, chance: random.Random) -> int:
    """Anywhere, or in the first bytes, where headers are."""
    return chance.randrange(chance.choice([len(data), min(len(data), 2000)]))


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice([1, 1, 1, 20])):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _zero(data: bytearray, chance: random.Random) -> None:
    start, length = _place(data, chance), chance.choice([1, 8, 512])
    stop = min(start + length, len(data))
    data[start:stop] = bytes(stop - start)


def _swap(data: bytearray, chance: random.Random) -> None:
    one, other = _place(data, chance), _place(data, chance)
    data[one], data[other] = data[other], data[one]


def _insert(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = chance.randbytes(chance.choice([1, 4, 512]))


def _replace(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    for i in range(start, min(start + 4, len(data))):
        data[i] = chance.randrange(256)
