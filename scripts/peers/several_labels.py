#!/usr/bin/env python3
"""Data sets of several labels a text, made of public ones of one, and what a linear SVM for each label reaches on them.

    several_labels.py trec FOLDER OUT    # FOLDER: train_5500.label, TREC_10.label
    several_labels.py joined FOLDER OUT  # FOLDER: train.csv, test.csv: label,text without a header

trec: each question has its coarse and its fine class (`DESC|DESC:manner`). joined: as many rows as there are texts, each
of one to three texts of the same file, drawn with a fixed seed, one behind the other, with the labels of all of them. Writes
OUT/train.csv and OUT/test.csv, then trains scikit-learn's OneVsRestClassifier(LinearSVC()) on TF-IDF of words and
pairs of them and prints its figures on the test rows (macro-F1 of the labels that occur in them or are answered). Needs
scikit-learn.
"""

import argparse
import csv
import pathlib
import random
import sys

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.svm import LinearSVC

Rows = list[tuple[list[str], str]]


def trec(path: pathlib.Path) -> Rows:
    rows = []
    for line in path.read_text(encoding="latin-1").splitlines():
        fine, text = line.split(" ", 1)
        rows.append(([fine.split(":")[0], fine], text))
    return rows


def joined(path: pathlib.Path, seed: int) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        texts = list(csv.reader(file))
    draw = random.Random(seed)
    rows = []
    for _ in texts:
        parts = draw.sample(texts, draw.choice([1, 2, 3]))
        rows.append((sorted({part[0] for part in parts}), " ".join(part[1] for part in parts)))
    return rows


def write(path: pathlib.Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["labels", "text"])
        writer.writerows(("|".join(labels), text) for labels, text in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["trec", "joined"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    if options.kind == "trec":
        train, test = trec(options.folder / "train_5500.label"), trec(options.folder / "TREC_10.label")
    else:
        train, test = joined(options.folder / "train.csv", 1), joined(options.folder / "test.csv", 2)
    options.out.mkdir(parents=True, exist_ok=True)
    write(options.out / "train.csv", train)
    write(options.out / "test.csv", test)

    binarizer = MultiLabelBinarizer().fit([labels for labels, _ in train])
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = OneVsRestClassifier(LinearSVC()).fit(
        vectorizer.fit_transform([text for _, text in train]), binarizer.transform([labels for labels, _ in train]))
    answers = model.predict(vectorizer.transform([text for _, text in test]))
    gold = binarizer.transform([labels for labels, _ in test])
    micro = f1_score(gold, answers, average="micro")
    occurs = gold.any(axis=0) | answers.any(axis=0)
    macro = f1_score(gold[:, occurs], answers[:, occurs], average="macro", zero_division=0)
    print(f"{len(train)} and {len(test)} rows, {len(binarizer.classes_)} labels: micro-F1 {micro:.4f}, "
          f"macro-F1 {macro:.4f}, all labels right {accuracy_score(gold, answers):.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
