"""Damage a notebook file at random, as uploads, editors and attackers do."""

import json
import random
from collections.abc import Callable

ODD = [None, True, -1, 10**400, float("nan"), float("inf"), "", "\ud800", "\0", [], {}, [[]], [None], {"cells": []}]


def flip_bytes(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.choice([1, 1, 5, 50, 500])):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def cut_off(data: bytes, rng: random.Random) -> bytes:
    start = rng.choice([0, 0, 0, rng.randrange(len(data))])
    return data[start : rng.randrange(start, len(data))]


def swap_types(data: bytes, rng: random.Random) -> bytes:
    """Put odd values in the place of some of the document's."""
    document = json.loads(data)
    for _ in range(rng.choice([1, 1, 2, 20])):
        place, steps = document, rng.randrange(6)
        while steps and isinstance(place, dict | list) and place:
            key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
            if not isinstance(place[key], dict | list) or not place[key]:
                break
            place, steps = place[key], steps - 1
        if isinstance(place, dict) and place:
            place[rng.choice(list(place))] = rng.choice(ODD)
        elif isinstance(place, list) and place:
            place[rng.randrange(len(place))] = rng.choice(ODD)
    try:
        return json.dumps(document).encode()
    except ValueError:  # a number of 400 digits is fine, a lone surrogate is escaped: nothing else is expected
        return b"{}"


def change_encoding(data: bytes, rng: random.Random) -> bytes:
    text = data.decode() + rng.choice(["", "é", "\ufeff"])
    return text.encode(rng.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "cp037"]), "replace")


def nest_deep(data: bytes, rng: random.Random) -> bytes:
    depth = rng.choice([50, 900, 5_000, 200_000])
    opened, closed = rng.choice([(b"[", b"]"), (b'{"cells":', b"}"), (b'{"metadata":', b"}")])
    nested = opened * depth + b"1" + closed * depth
    return rng.choice([nested, data.replace(b"{}", nested, 1), data.replace(b'"outputs": []', b'"outputs": ' + nested)])


def enlarge_numbers(data: bytes, rng: random.Random) -> bytes:
    number = rng.choice([b"9" * 300, b"9" * 5000, b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" + b"0" * 100_000])
    return data.replace(b"null", number, rng.randrange(1, 5)).replace(b'"nbformat": 4', b'"nbformat": ' + number)


def repeat_keys(data: bytes, rng: random.Random) -> bytes:
    others = [b'"cells": [], "cells"', b'"worksheets"', b'"Cells"', b'"cells\\u0000"']
    return data.replace(b'"cells"', rng.choice(others))


def splice(data: bytes, rng: random.Random) -> bytes:
    first, second = sorted(rng.randrange(len(data)) for _ in range(2))
    return rng.choice([data + data, data[:second] + data[first:], data[:first] + data[second:], data[second:]])


KINDS: list[Callable[[bytes, random.Random], bytes]] = [
    flip_bytes,
    cut_off,
    swap_types,
    change_encoding,
    nest_deep,
    enlarge_numbers,
    repeat_keys,
    splice,
]


def corrupt(data: bytes, seed: int) -> bytes:
    """The same damage for the same seed."""
    rng = random.Random(seed)
    return KINDS[seed % len(KINDS)](data, rng)
