#!/usr/bin/env python3
"""Turns published data sets into the form that the configs read. Texts: CSV, `label,"text"`, labels from 0
in the order of classes.txt, every text quoted, LF. Pictures: rows of 1,025 bytes, the label and 1,024 greys.

    convert_data.py trec FILE.label OUT.csv
    convert_data.py imdb aclImdb_v1.tar.gz OUT_FOLDER
    convert_data.py image cifar-10-binary.tar.gz OUT_FOLDER
    convert_data.py count FILE.csv[.gz]|FILE.bin.gz
"""

import csv
import gzip
import hashlib
import io
import pathlib
import re
import sys
import tarfile
from array import array

TREC_CLASSES = ["ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"]
IMDB_CLASSES = ["neg", "pos"]
IMDB_MEMBER = re.compile(r"aclImdb/((train|test)/(neg|pos)/[0-9]+_[0-9]+\.txt)$")
CIFAR_MEMBER = re.compile(r"cifar-10-batches-bin/(data_batch_[1-5]|test_batch)\.bin$")
CIFAR_FILES = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}
CIFAR_CLASSES = 10
PIXELS = 32 * 32


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
        write_packed(pathlib.Path(folder) / f"{split}.csv.gz", content)


def write_packed(path, content):
    """The same bytes each time."""
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(content)


def single(values):
    """Each rounded to float32."""
    return list(array("f", values))


class Grey:
    """Grey as the Long Range Arena has it, which leaves it to TensorFlow: colours as shares of 1,
    0.2989 R + 0.5870 G + 0.1140 B, times 255.5 and cut to a whole number, all in float32."""

    def __init__(self):
        shares = single(value / 255 for value in range(256))
        weights = single([0.2989, 0.5870, 0.1140])
        red, green, self.blue = [single(weight * share for share in shares) for weight in weights]
        self.red_and_green = single(r + g for r in red for g in green)

    def of(self, picture):
        """The bytes of a picture's red, green and blue, one plane behind the other."""
        planes = zip(picture[:PIXELS], picture[PIXELS : 2 * PIXELS], picture[2 * PIXELS :])
        red_and_green, blue = self.red_and_green, self.blue
        greys = single([red_and_green[r << 8 | g] + blue[b] for r, g, b in planes])
        return bytes(map(int, single([grey * 255.5 for grey in greys])))


def convert_image(archive, folder):
    """CIFAR-10 ("binary version") in grey, in its own order: a label, then red, green and blue in rows."""
    grey, row = Grey(), 1 + 3 * PIXELS
    converted = {}
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            match = CIFAR_MEMBER.match(member.name)
            if not match or not member.isfile():
                continue
            content = members.extractfile(member).read()
            if not content or len(content) % row or max(content[::row]) >= CIFAR_CLASSES:
                sys.exit(f"{archive}: {member.name} has {len(content)} bytes; expected rows of {row} that begin with "
                         f"a label from 0 to {CIFAR_CLASSES - 1}")
            rows = (content[at : at + row] for at in range(0, len(content), row))
            converted[match[1]] = b"".join(one[:1] + grey.of(one[1:]) for one in rows)
    for split, names in CIFAR_FILES.items():
        missing = [name for name in names if name not in converted]
        if missing:
            sys.exit(f"{archive}: no cifar-10-batches-bin/{missing[0]}.bin in it")
        write_packed(pathlib.Path(folder) / f"image_{split}.bin.gz", b"".join(converted[name] for name in names))


def labels_of(path, data):
    if path.endswith((".bin", ".bin.gz")):
        return map(str, data[:: 1 + PIXELS])
    csv.field_size_limit(1 << 30)
    return (row[0] for row in csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def count_rows(path):
    """Rows of each label, and the SHA-256 of what stands in the file (unpacked)."""
    data = pathlib.Path(path).read_bytes()
    if path.endswith(".gz"):
        data = gzip.decompress(data)
    labels = {}
    for label in labels_of(path, data):
        labels[label] = labels.get(label, 0) + 1
    each = ", ".join(f"{label}: {count:,}" for label, count in sorted(labels.items()))
    print(f"{sum(labels.values()):,} rows ({each})")
    print(f"sha256 {hashlib.sha256(data).hexdigest()}")


def main():
    commands = {"trec": (convert_trec, 2), "imdb": (convert_imdb, 2), "image": (convert_image, 2),
                "count": (count_rows, 1)}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    command, arguments = commands[sys.argv[1]]
    if len(sys.argv) != 2 + arguments:
        sys.exit(__doc__)
    command(*sys.argv[2:])


if __name__ == "__main__":
    main()
