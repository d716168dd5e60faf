#!/usr/bin/env python3
"""Turns published data sets into the CSV form that the configs read: `label,"text"`, labels from 0 in
the order of classes.txt, every text quoted, LF.

    convert_data.py trec FILE.label OUT.csv
    convert_data.py imdb aclImdb_v1.tar.gz OUT_FOLDER
    convert_data.py count FILE.csv[.gz]
"""

import csv
import gzip
import hashlib
import io
import pathlib
import re
import sys
import tarfile

TREC_CLASSES = ["ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"]
IMDB_CLASSES = ["neg", "pos"]
IMDB_MEMBER = re.compile(r"aclImdb/((train|test)/(neg|pos)/[0-9]+_[0-9]+\.txt)$")


def csv_row(label, text):
    quoted = text.replace('"', '""')
    return f'{label},"{quoted}"\n'


def convert_trec(source, target):
    """`COARSE:fine question` lines in ISO 8859-1. The one byte 0xF0 in them is a slip for a space."""
    rows = []
    with open(source, "rb") as lines:
        for number, line in enumerate(lines, 1):
            text = line.rstrip(b"\r\n").replace(b"\xf0", b" ").decode("iso-8859-1")
            head, separator, question = text.partition(" ")
            coarse = head.split(":")[0]
            if not separator or coarse not in TREC_CLASSES:
                sys.exit(f"{source}:{number}: expected COARSE:fine and a question, found {text[:60]!r}")
            rows.append(csv_row(TREC_CLASSES.index(coarse), question))
    pathlib.Path(target).write_text("".join(rows), encoding="utf-8", newline="")


def convert_imdb(archive, folder):
    """One file a review; rows in the order of the SHA-256 of `split/class/file`: a fixed shuffle."""
    rows = {"train": [], "test": []}
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            match = IMDB_MEMBER.match(member.name)
            if not match or not member.isfile():
                continue
            name, split, sentiment = match.groups()
            text = members.extractfile(member).read().decode("utf-8")
            if "\n" in text or "\r" in text:
                sys.exit(f"{archive}: {member.name} holds a line break, which no review should")
            key = hashlib.sha256(name.encode()).digest()
            rows[split].append((key, csv_row(IMDB_CLASSES.index(sentiment), text)))
    for split, split_rows in rows.items():
        if not split_rows:
            sys.exit(f"{archive}: no review of aclImdb/{split}/ in it")
        content = "".join(row for _, row in sorted(split_rows)).encode("utf-8")
        path = pathlib.Path(folder) / f"{split}.csv.gz"
        with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
            packed.write(content)


def count_rows(path):
    """Rows of each label, and the SHA-256 of what stands in the file (unpacked)."""
    data = pathlib.Path(path).read_bytes()
    if path.endswith(".gz"):
        data = gzip.decompress(data)
    csv.field_size_limit(1 << 30)
    labels = {}
    for row in csv.reader(io.StringIO(data.decode("utf-8"), newline="")):
        labels[row[0]] = labels.get(row[0], 0) + 1
    each = ", ".join(f"{label}: {count:,}" for label, count in sorted(labels.items()))
    print(f"{sum(labels.values()):,} rows ({each})")
    print(f"sha256 {hashlib.sha256(data).hexdigest()}")


def main():
    commands = {"trec": (convert_trec, 2), "imdb": (convert_imdb, 2), "count": (count_rows, 1)}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    command, arguments = commands[sys.argv[1]]
    if len(sys.argv) != 2 + arguments:
        sys.exit(__doc__)
    command(*sys.argv[2:])


if __name__ == "__main__":
    main()
