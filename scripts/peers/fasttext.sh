#!/usr/bin/env bash
# fastText on a pair of CSV files, from the files to the test accuracy: word bigrams, as its authors classify news.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/peers/fasttext.sh --train CSV --test CSV [--rows N] [--label-column C] [--text-columns C,C] [--header]
                                 [--seed N] [--threads N] [--out DIR] [--autotune S] [-- FASTTEXT_OPTION...]
       scripts/peers/fasttext.sh --check

  --train, --test  CSV files, plain or .gz
  --rows N         the first N rows of the training file (default: all)
  --label-column, --text-columns, --header
                   see scripts/peers/rows.py --help (default: the first column, all others, no header)
  --seed N         of fastText (default 0); with more than one thread its runs differ all the same
  --threads N      (default: all cores)
  --out DIR        where the model (model.bin) and the predictions (predictions.tsv, as `diffuse eval --output`
                   writes them) stay; default: a folder that is deleted
  --check          only sees to it that fastText is there
  --autotune S     let fastText look for its own settings for S seconds, by a tenth of the training rows; the model
                   is then that of the others
  -- OPTION...     in place of: -dim 10 -lr 0.25 -wordNgrams 2 -minCount 1 -bucket 10000000 -epoch 5

Prints one JSON object: accuracy, rows, model_bytes, and seconds of `convert` (CSV to fastText's form), `train` and
`test`. Needs fastText's program: apt-get install fasttext, or scripts/setup.sh --peers.
END
}

fail() { echo "fasttext.sh: $*" >&2; exit 2; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
train="" test="" out="" rows=0 seed=0 threads=$(nproc)
check=no columns=() autotune=""
options=(-dim 10 -lr 0.25 -wordNgrams 2 -minCount 1 -bucket 10000000 -epoch 5)
while [ $# -gt 0 ]; do
  case "$1" in
    --header) columns+=("$1"); shift; continue ;;
    -h | --help) usage; exit 0 ;;
    --check) check=yes; shift; continue ;;
    --) shift; options=("$@"); break ;;
  esac
  [ $# -ge 2 ] || { usage >&2; exit 2; }
  case "$1" in
    --train) train=$2 ;;
    --test) test=$2 ;;
    --rows) rows=$2 ;;
    --label-column | --text-columns) columns+=("$1" "$2") ;;
    --seed) seed=$2 ;;
    --threads) threads=$2 ;;
    --out) out=$2 ;;
    --autotune) autotune=$2 ;;
    *) echo "fasttext.sh: unknown argument $1" >&2; usage >&2; exit 2 ;;
  esac
  shift 2
done
command -v fasttext > /dev/null ||
  fail "the program fasttext is not installed: apt-get install fasttext, or scripts/setup.sh --peers"
[ "$check" = no ] || exit 0
[ -n "$train" ] && [ -n "$test" ] || fail "--train and --test name the CSV files; neither may be left out"

if [ -z "$out" ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi
mkdir -p "$out"
# Microseconds since 1970, whatever the locale writes between seconds and their fractions.
now() { echo "${EPOCHREALTIME//[!0-9]/}"; }

begin=$(now)
python3 "$here/rows.py" "$train" "$out/train.txt" --rows "$rows" "${columns[@]}"
python3 "$here/rows.py" "$test" "$out/test.txt" "${columns[@]}"
if [ -n "$autotune" ]; then
  # In a random order that is always the same: files are often sorted by class.
  shuf --random-source="$out/train.txt" "$out/train.txt" > "$out/shuffled.txt"
  held=$(($(wc -l < "$out/shuffled.txt") / 10))
  tail -n "$held" "$out/shuffled.txt" > "$out/held.txt"
  head -n "-$held" "$out/shuffled.txt" > "$out/train.txt"
  options=(-autotune-validation "$out/held.txt" -autotune-duration "$autotune")
fi
converted=$(now)
fasttext supervised -input "$out/train.txt" -output "$out/model" "${options[@]}" -thread "$threads" -seed "$seed" \
  -verbose 0 > "$out/log" 2>&1 || fail "training failed: $(tail -n 1 "$out/log")"
trained=$(now)
fasttext predict-prob "$out/model.bin" "$out/test.txt" > "$out/predicted.txt"
tested=$(now)
python3 - "$here" "$out" $((converted - begin)) $((trained - converted)) $((tested - trained)) <<'END'
import json, os, sys, urllib.parse

here, out, *times = sys.argv[1:]
sys.path.insert(0, here)
from rows import write_predictions

def label(word):
    return urllib.parse.unquote(word.removeprefix("__label__"))

with open(f"{out}/test.txt", encoding="utf-8") as file:
    gold = [label(line.split(" ", 1)[0]) for line in file]
with open(f"{out}/predicted.txt", encoding="utf-8") as file:
    predicted = [line.split() for line in file]
if len(predicted) != len(gold):
    sys.exit(f"fasttext.sh: {len(predicted)} predictions for {len(gold)} rows")
accuracy = write_predictions(f"{out}/predictions.tsv", gold, [label(p[0]) for p in predicted], [p[1] for p in predicted])
with open(f"{out}/train.txt", encoding="utf-8") as file:
    rows = sum(1 for _ in file)
seconds = dict(zip(("convert", "train", "test"), (int(time) / 1e6 for time in times)))
print(json.dumps({"accuracy": accuracy, "train_rows": rows, "test_rows": len(gold),
                  "model_bytes": os.path.getsize(f"{out}/model.bin"), "seconds": seconds}))
END
