#!/usr/bin/env python3
"""A linear SVM on TF-IDF of words and word pairs (scikit-learn), from a pair of CSV files to the test accuracy.

TF-IDF of 1- and 2-grams with sublinear counts and every n-gram kept, tokens `\\b\\w+\\b|[!?]` in lower case, and LinearSVC
with C = 1: nothing is tuned. Prints one JSON object: accuracy, rows, model_bytes (vectorizer and weights, pickled)
and seconds of `read`, `train` and `test`. With --out the model (model.pickle) and the predictions (predictions.tsv, as
`diffuse eval --output` writes them; an SVM has no probability) stay there. `--check` alone only sees to it that scikit-learn
is there.
"""

from typing import Any, Sequence

import linear

linear.need_scikit_learn()
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.svm import LinearSVC  # noqa: E402


def fit(texts: Sequence[str], labels: Sequence[str], seed: int) -> Any:
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=1, token_pattern=linear.TOKENS)
    return vectorizer, LinearSVC(C=1, random_state=seed).fit(vectorizer.fit_transform(texts), labels)


def predict(model: Any, texts: Sequence[str]) -> Sequence[str]:
    vectorizer, classifier = model
    return classifier.predict(vectorizer.transform(texts))


if __name__ == "__main__":
    linear.run(__doc__, fit, predict)
