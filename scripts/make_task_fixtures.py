#!/usr/bin/env python3
"""Writes the fixtures of tests/tasks, by other means than the program's.

listops_reference.tsv: expressions and their values, drawn and evaluated by recursion. paddles_reference.json: dashes and
discs of Pathfinder, drawn and shrunk by Pillow (pip install pillow). Usage: make_task_fixtures.py [FOLDER]
"""

import json
import math
import pathlib
import random
import statistics
import sys

from PIL import Image, ImageChops, ImageDraw

OPERATIONS = {
    "MIN": min,
    "MAX": max,
    "MED": lambda values: int(statistics.median(values)),
    "SM": lambda values: sum(values) % 10,
}


def tree(rng, depth, arguments):
    if depth == 1 or rng.random() < 0.4:
        return rng.randrange(10)
    return rng.choice(list(OPERATIONS)), [tree(rng, depth - 1, arguments) for _ in range(rng.randint(2, arguments))]


def value(node):
    return node if isinstance(node, int) else OPERATIONS[node[0]]([value(child) for child in node[1]])


def words(node):
    return str(node) if isinstance(node, int) else " ".join([node[0], *map(words, node[1]), "X"])


def arena(node):
    if isinstance(node, int):
        return str(node)
    text = f"[{node[0]}"
    for part in [*map(arena, node[1]), "]"]:
        text = f"( {text} {part} )"
    return text


def write_listops(folder):
    rng = random.Random(1)
    rows = [tree(rng, 2 + i % 6, 2 + i % 5) for i in range(80)]
    text = "".join(f"{value(row)}\t{words(row)}\t{arena(row)}\n" for row in rows if len(words(row)) < 1200)
    (folder / "listops_reference.tsv").write_text(text, encoding="ascii")


def shrunk(image, side):
    return list(image.resize((side, side), Image.Resampling.LANCZOS).tobytes())


def paddle(degree):
    """A dash of 2 pixels, and its surroundings of one pixel, drawn at twice the size."""
    y, x = (math.ceil(8 + part - 1e-9) for part in (4 * math.sin(math.radians(degree)), 4 * math.cos(math.radians(degree))))
    line = Image.new("L", (17, 17), 0)
    ImageDraw.Draw(line).line([(8, 8), (x, y)], fill=255, width=1)
    around = Image.new("L", (17, 17), 0)
    for down in range(-2, 3):
        for right in range(-2, 3):
            if down**2 + right**2 <= 4:
                moved = Image.new("L", (17, 17), 0)
                moved.paste(line, (right, down))
                around = ImageChops.lighter(around, moved)
    return {"degree": degree, "line": shrunk(line, 9), "mask": shrunk(around, 9)}


def marker(y, x):
    image = Image.new("L", (64, 64), 0)
    for row in range(64):
        for column in range(64):
            if (row - 2 * y) ** 2 + (column - 2 * x) ** 2 <= 9:
                image.putpixel((column, row), 255)
    return {"y": y, "x": x, "pixels": shrunk(image, 32)}


def write_paddles(folder):
    paddles = [paddle(degree) for degree in range(-180, 180, 15)] + [paddle(degree) for degree in (-161, -38, 7, 71, 123)]
    markers = [marker(*place) for place in ((16, 16), (2, 29), (30, 0))]
    text = json.dumps({"paddles": paddles, "markers": markers}, separators=(",", ":")).replace('{"degree', '\n{"degree')
    (folder / "paddles_reference.json").write_text(text.replace('{"y"', '\n{"y"') + "\n", encoding="ascii")


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "tests/tasks")
    write_listops(folder)
    write_paddles(folder)


if __name__ == "__main__":
    main()
