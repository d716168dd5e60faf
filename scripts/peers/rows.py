#!/usr/bin/env python3
"""Rows of labelled text from a CSV file, as the other programs of this folder read them: the standard library
and nothing else.

As a program it writes fastText's form, a row a line: `__label__LABEL text`, the text as fastText's own example
(classification-example.sh) prepares it: lower case, blanks around punctuation, no double quotes.
"""

import argparse
import csv
import gzip
import pathlib
import sys
import urllib.parse
from typing import Iterator, NoReturn, Sequence

PREDICTIONS_HEADER = "row\tgold\tpredicted\tprobability"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say which rows, and what in them, are read."""
    parser.add_argument("--label-column", default="1", help="number from 1, or a name in the header; default: 1")
    parser.add_argument("--text-columns", default="", help="numbers or names, with commas between; default: all others")
    parser.add_argument("--header", action="store_true", help="the first row names the columns")


def fail(message: str) -> NoReturn:
    print(f"{pathlib.Path(sys.argv[0]).name}: {message}", file=sys.stderr)
    sys.exit(2)


def place_of(column: str, names: Sequence[str], path: str) -> int:
    if column in names:
        return names.index(column)
    if not column.isdecimal() or not 1 <= int(column) <= len(names):
        fail(f"{path}: no column {column}; expected a number from 1 to {len(names)}, or with --header a name of the first row")
    return int(column) - 1


def rows_of(path: str, arguments: argparse.Namespace, limit: int = 0) -> Iterator[tuple[str, str]]:
    """Label and text of each row, the first `limit` ones or all; the columns of a text are joined by a blank."""
    csv.field_size_limit(1 << 30)
    try:
        opened = gzip.open(path, "rt", encoding="utf-8", newline="") if path.endswith(".gz") else open(path, encoding="utf-8", newline="")
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    with opened as file:
        rows = csv.reader(file)
        first = next(rows, None)
        if first is None:
            fail(f"{path}: has no rows")
        label = place_of(arguments.label_column, first, path)
        wanted = [place_of(column, first, path) for column in arguments.text_columns.split(",") if column]
        texts = wanted or [i for i in range(len(first)) if i != label]
        count = 0
        row = next(rows, None) if arguments.header else first
        while row is not None and (count < limit or not limit):
            count += 1
            if len(row) != len(first):
                fail(f"{path}: row {count} has {len(row)} fields, the first one {len(first)}")
            yield row[label], " ".join([row[i] for i in texts])
            row = next(rows, None)


def write_predictions(path: str, gold: Sequence[str], predicted: Sequence[str], probability: Sequence[str]) -> float:
    """A file as `diffuse eval --output` writes it; answers the accuracy."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(PREDICTIONS_HEADER + "\n")
        file.writelines(f"{i}\t{g}\t{p}\t{q}\n" for i, (g, p, q) in enumerate(zip(gold, predicted, probability), 1))
    return sum(g == p for g, p in zip(gold, predicted)) / len(gold)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv")
    parser.add_argument("output")
    parser.add_argument("--rows", type=int, default=0, metavar="N", help="the first N; default: all")
    add_arguments(parser)
    arguments = parser.parse_args()
    # Whole columns at once: Python then works at the speed of its C code.
    labels, texts = zip(*rows_of(arguments.csv, arguments, arguments.rows))
    quoted = {label: "__label__" + urllib.parse.quote(label) + " " for label in set(labels)}
    joined = "\n".join([" ".join(text.split()) for text in texts]).lower().replace("<br />", " ").replace('"', "")
    for mark in "'.,()!?":
        joined = joined.replace(mark, f" {mark} ")
    for mark in ";:":
        joined = joined.replace(mark, " ")
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.writelines([f"{quoted[label]}{text}\n" for label, text in zip(labels, joined.split("\n"))])


if __name__ == "__main__":
    main()
