#!/usr/bin/env python3
"""Makes a large data set of the rows of AG News, or of any CSV file without a header whose first column is the label:
each row is one of the file's, drawn at random, and gets some new words, so that the vocabulary grows with the rows as that
of a language does. The rank r of a new word has a probability of about r^-s (Zipf's law; s = --exponent); there are
--words of them in all. Which class a row has tells nothing about its new words. Rows are written as they are made: a
million takes some seconds and no more memory than the file that they are drawn from.

    scripts/make_large_data.py ../data/ag_news/train.csv --rows 10000000 --out large
    diffuse train --config agnews-diffusion.json --train 'large/part-*.csv' --set tokenizer.max_words=100000

The same seed gives the same bytes. A file of --part-rows rows is called part-0000.csv, part-0001.csv, ...
"""

import argparse
import csv
import itertools
import pathlib
import random
import sys

LETTERS = "etaoinshrdlucmfw"  # 16: four bits a letter


def word(rank):
    """Of the rank's own letters, short for frequent words; no two ranks have the same, and none looks like English."""
    letters = []
    while rank >= 0:
        letters.append(LETTERS[rank & 15])
        rank = (rank >> 4) - 1
    return "zq" + "".join(letters)


def zipf_rank(uniform, words, exponent):
    """The rank, from 0, whose part of the distribution `uniform` (0 to 1) falls into: by the integral of x^-s."""
    if exponent == 1:
        return min(int((words + 1) ** uniform), words) - 1
    power = 1 - exponent
    return min(int((1 + uniform * ((words + 1) ** power - 1)) ** (1 / power)), words) - 1


def read_rows(path):
    csv.field_size_limit(1 << 24)
    with open(path, encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file) if row]


def made_rows(rows, options):
    chooser = random.Random(options.seed)
    draw = chooser.random
    count = len(rows)
    for _ in range(options.rows):
        row = rows[int(draw() * count)]
        text = row[-1]
        added = [word(zipf_rank(draw(), options.words, options.exponent)) for _ in range(options.new_words)]
        yield row[:-1] + [text + " " + " ".join(added) if added else text]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="CSV file of rows: label, then one or more columns of text")
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows to make (%(default)s)")
    parser.add_argument("--words", type=int, default=5_000_000, help="different new words (%(default)s)")
    parser.add_argument("--new-words", type=int, default=4, help="new words a row (%(default)s)")
    parser.add_argument("--exponent", type=float, default=1.0, help="s of Zipf's law (%(default)s)")
    parser.add_argument("--part-rows", type=int, default=1_000_000, help="rows a file (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the files; is made")
    options = parser.parse_args()
    if min(options.rows, options.words, options.part_rows) < 1 or options.new_words < 0 or options.exponent <= 0:
        parser.error("--rows, --words, --part-rows and --exponent have to be above 0, --new-words at least 0")
    try:
        rows = read_rows(options.file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        sys.exit(f"{options.file}: {error}; expected a CSV file in UTF-8")
    if not rows or any(len(row) < 2 for row in rows):
        sys.exit(f"{options.file}: expected rows of a label and one or more texts")
    options.out.mkdir(parents=True, exist_ok=True)
    made = made_rows(rows, options)
    for number in range((options.rows + options.part_rows - 1) // options.part_rows):
        path = options.out / f"part-{number:04d}.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
                itertools.islice(made, options.part_rows))
        print(path)


if __name__ == "__main__":
    main()
