#!/usr/bin/env python3
"""Figures of texts of several labels by scikit-learn, for tests/eval/label_metrics_test.cpp.

    pip install scikit-learn
    scripts/make_label_fixture.py tests/eval/label_reference.json

40 rows of 5 labels, of which one is rare and one stands on no row; some rows have none, some probabilities are equal.
The thresholds are found by trying every one with sklearn.metrics.f1_score, without what the program knows of sorted
probabilities.
"""
import json
import math
import pathlib
import sys

import numpy as np
from sklearn.metrics import (accuracy_score, f1_score, hamming_loss, label_ranking_average_precision_score, log_loss,
                             precision_score, recall_score)

PRIOR_ROWS = 10


def log_odds(p):
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def best_threshold(gold, probabilities):
    """The middle between two neighbouring probabilities of the greatest F1, of equal ones the nearest to 1/2."""
    values = sorted(set(probabilities), reverse=True) + [0.0]
    found = []
    for high, low in zip(values, values[1:]):
        middle = (float(high) + float(low)) / 2
        found.append((round(f1_score(gold, probabilities >= middle, zero_division=0), 12), -abs(middle - 0.5), middle))
    best = max(found)
    return best[2] if best[0] > 0 else 0.5


def thresholds(gold, probabilities):
    shared = log_odds(best_threshold(gold.ravel(), probabilities.ravel()))
    made = []
    for c in range(gold.shape[1]):
        rows = int(gold[:, c].sum())
        own = log_odds(best_threshold(gold[:, c], probabilities[:, c])) if rows else 0
        drawn = (rows * own + PRIOR_ROWS * shared) / (rows + PRIOR_ROWS)
        made.append(1 / (1 + math.exp(-drawn)))
    return made


def main(output):
    random = np.random.default_rng(3)
    gold = (random.random((40, 5)) < [0.5, 0.3, 0.2, 0.05, 0]).astype(int)
    noise = random.normal(0, 1.2, gold.shape)
    probabilities = (1 / (1 + np.exp(-(2.2 * gold - 1.1 + noise)))).round(2).astype(np.float32)
    chosen = np.array(thresholds(gold, probabilities))
    answers = probabilities >= chosen.astype(np.float32)
    defined = [c for c in range(gold.shape[1]) if gold[:, c].any() or answers[:, c].any()]
    each = f1_score(gold, answers, average=None, zero_division=0)
    exact = probabilities.astype(float)
    fixture = {
        "gold": gold.tolist(),
        "probabilities": exact.tolist(),
        "thresholds": chosen.tolist(),
        "accuracy": accuracy_score(gold, answers),
        "micro_f1": f1_score(gold, answers, average="micro"),
        "micro_precision": precision_score(gold, answers, average="micro"),
        "micro_recall": recall_score(gold, answers, average="micro"),
        "macro_f1": float(np.mean(each[defined])),
        "f1": [float(each[c]) if c in defined else None for c in range(gold.shape[1])],
        "hamming_loss": hamming_loss(gold, answers),
        "lrap": label_ranking_average_precision_score(gold, exact),
        "loss": sum(log_loss(gold[:, c], exact[:, c], labels=[0, 1]) for c in range(gold.shape[1])),
    }
    pathlib.Path(output).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(output).write_text(json.dumps(fixture, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
