#!/usr/bin/env python3
"""Logistic regression on word 1- to 3-grams weighted by naive Bayes (scikit-learn), from a pair of CSV files to the
test accuracy.

Wang and Manning's NB-SVM (ACL 2012) with a logistic loss: of each class against the rest, an n-gram's presence counts
the log of how much more often it is in the class's texts, with one text added to both. N-grams in one text alone are
left out; C = 4, nothing is tuned. The solver is deterministic: --seed changes nothing. Prints the same as tfidf_svm.py,
with the same options.
"""

from typing import Any, Sequence

import linear

linear.need_scikit_learn()
import numpy as np  # noqa: E402
from scipy.sparse import diags  # noqa: E402
from sklearn.feature_extraction.text import CountVectorizer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402


def log_ratio(presence: Any, of_class: Any) -> Any:
    """Of each n-gram, [F]: how much more often it is in the texts of a class than in the others."""
    inside = presence[of_class].sum(axis=0).A1 + 1
    outside = presence[~of_class].sum(axis=0).A1 + 1
    return np.log(inside / inside.sum()) - np.log(outside / outside.sum())


def fit(texts: Sequence[str], labels: Sequence[str], seed: int) -> Any:
    vectorizer = CountVectorizer(ngram_range=(1, 3), binary=True, min_df=2, token_pattern=linear.TOKENS, dtype=np.float64)
    presence = vectorizer.fit_transform(texts)
    gold = np.array(labels)
    classes = sorted(set(labels))
    models = []
    for name in classes[1:] if len(classes) == 2 else classes:
        ratio = log_ratio(presence, gold == name)
        classifier = LogisticRegression(C=4, solver="liblinear", random_state=seed)
        models.append((ratio, classifier.fit(presence @ diags(ratio), gold == name)))
    return vectorizer, classes, models


def predict(model: Any, texts: Sequence[str]) -> Sequence[str]:
    vectorizer, classes, models = model
    presence = vectorizer.transform(texts)
    scores = np.stack([classifier.decision_function(presence @ diags(ratio)) for ratio, classifier in models], axis=1)
    best = (scores[:, 0] > 0).astype(int) if len(classes) == 2 else scores.argmax(axis=1)
    return [classes[i] for i in best]


if __name__ == "__main__":
    linear.run(__doc__, fit, predict)
