#!/usr/bin/env python3
"""Where a model of a Long Range Arena task is right and where not: its predictions (`diffuse eval --output`) beside what
the task's files say of each row. ListOps: by the root's operator, by its number of arguments, by length, and by how many
levels of the tree have to be computed for the answer, with the likeliest value for each operation below (MIN 0, MAX 9,
MED 4, SM none). Pathfinder: by label, by the discs' distance, and, of connected ones, by the way along the contour.

    diffuse eval --checkpoint runs/listops --data data/listops/validation.tsv --output predictions.tsv
    scripts/arena_accuracy.py listops predictions.tsv data/listops/validation.tsv
    scripts/arena_accuracy.py pathfinder predictions.tsv data/pathfinder/validation.markers.tsv
"""

import argparse
import csv
import sys

LIKELIEST = {"MIN": 0, "MAX": 9, "MED": 4, "SM": None}


def rows_of(path, columns):
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = [name for name in columns if name not in (reader.fieldnames or [])]
        if missing:
            sys.exit(f"{path}: no column {', '.join(missing)}; expected {', '.join(columns)}")
        yield from reader


def parse(text):
    """A tree of ListOps in any of the three notations: a digit, or [operator, arguments]."""
    stack = [[]]
    for token in text.split():
        token = token.lstrip("[")
        if token in ("(", ")"):
            continue
        if token in LIKELIEST:
            stack.append([token])
        elif token in ("X", "]"):
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(int(token))
    return stack[0][0]


def value(tree, levels):
    """The tree's value where `levels` of its levels are computed; None: it cannot be told."""
    if isinstance(tree, int):
        return tree
    if levels == 0:
        return LIKELIEST[tree[0]]
    values = [value(child, levels - 1) for child in tree[1:]]
    known = sorted(one for one in values if one is not None)
    if tree[0] == "SM":
        return sum(known) % 10 if len(known) == len(values) else None
    if not known:
        return None
    if tree[0] == "MED":
        middle = len(known) // 2
        return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) // 2
    return known[0] if tree[0] == "MIN" else known[-1]


def levels_needed(tree, answer):
    """From how many levels on every further one leaves the answer right."""
    right = [value(tree, levels) == answer for levels in range(10)]
    needed = 10
    while needed > 0 and right[needed - 1]:
        needed -= 1
    return needed


def quarter(number, bounds):
    """The range of `bounds`, ascending, that a number is in."""
    low = max((bound for bound in bounds if bound <= number), default=0)
    above = [bound for bound in bounds if bound > number]
    return f"{low:4d} to {above[0] - 1}" if above else f"{low:4d} and more"


def listops(rows):
    for row in rows:
        tree = parse(row.get("text") or row["Source"])
        answer = int(row.get("label") or row["Target"])
        length = sum(token not in ("(", ")") for token in row.get("text", row.get("Source", "")).split())
        yield {
            "operator of the root": tree[0],
            "arguments of the root": f"{len(tree) - 1:2d}",
            "length, tokens": quarter(length, [500, 750, 1000, 1250, 1500]),
            "levels needed": levels_needed(tree, answer),
        }


def pathfinder(rows):
    for row in rows:
        connected = row["label"] == "1"
        groups = {
            "label": "connected" if connected else "not connected",
            "distance of the discs, pixels": quarter(float(row["distance"]).__trunc__(), [5, 10, 15, 20]),
        }
        if connected:
            groups["way along the contour, pixels"] = quarter(float(row["path"]).__trunc__(), [40, 45, 50, 55])
        yield groups


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["listops", "pathfinder"])
    parser.add_argument("predictions", help="written by diffuse eval --output")
    parser.add_argument("rows", help="the task's file (ListOps) or its markers (Pathfinder)")
    options = parser.parse_args()
    right = {int(row["row"]): row["gold"] == row["predicted"]
             for row in rows_of(options.predictions, ["row", "gold", "predicted"])}
    columns = [] if options.task == "listops" else ["label", "distance", "path"]
    described = (listops if options.task == "listops" else pathfinder)(rows_of(options.rows, columns))
    groups, count = {}, 0
    for number, row in enumerate(described, 1):
        count = number
        if number not in right:
            sys.exit(f"{options.predictions}: row {number} of {options.rows} has no prediction")
        for kind, name in row.items():
            sums = groups.setdefault(kind, {}).setdefault(name, [0, 0])
            sums[0] += right[number]
            sums[1] += 1
    if count != len(right):
        sys.exit(f"{options.predictions}: {len(right)} rows, but {options.rows} has {count}; expected the same")
    print(f"{100 * sum(right.values()) / count:.2f} % of {count:,} rows")
    for kind, members in groups.items():
        print(f"\n| {kind} | rows | right |\n| --- | ---: | ---: |")
        for name in sorted(members, key=str):
            hits, rows = members[name]
            print(f"| {name} | {rows:,} | {100 * hits / rows:.1f} % |")


if __name__ == "__main__":
    main()
