#!/usr/bin/env bash
# What this program does on a GPU, in one command and under nine minutes: the tests of everything on
# tensors, the comparison with DistilBERT at the paper's settings, DistilBERT beside transformers, one
# epoch of AG News.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/gpu_report.sh [--build DIR] [--out DIR] [--device NAME]
       scripts/gpu_report.sh --pack DIR [--build DIR]

  --build DIR    build folder, or one made by --pack (default: build/release, or this script's own)
  --out DIR      where to write the reports (default: docs/reports, or reports/ in a packed folder)
  --device NAME  cuda (default), cuda:1, or cpu to try the script itself
  --pack DIR     copy what a machine with a GPU and LibTorch needs into DIR: at most 64 MiB, AG News
                 (its first 86,680 training rows, gzipped) among it where it is at hand

LibTorch is found through DIFFUSE_LIBTORCH, or else in Python's torch. AG News is read from
DIFFUSE_DATA/ag_news, or else from the packed or the project's data/ag_news. A Python with torch and
transformers (DIFFUSE_PYTHON, the project's .deps/python or python3) measures DistilBERT in
transformers. Without the one or the other that part is left out, and the report says so.

Writes NAME.md and NAME.json, and fails where anything failed. Where there is a GPU, a skipped test
counts as failed. Ends within nine minutes: what the time does not suffice for is cut short, and the
report says so.
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(dirname "$here")
build="" out="" pack="" device=cuda
while [[ $# -gt 0 ]]; do
  case $1 in
    --build) build=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --pack) pack=$2; shift 2 ;;
    --device) device=$2; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
if [[ -z $build ]]; then
  if [[ -x $here/bin/diffuse ]]; then build=$here; else build=$project/build/release; fi
fi
if [[ -z $out ]]; then
  if [[ $build == "$here" ]]; then out=$here/reports; else out=$project/docs/reports; fi
fi
if [[ ! -x $build/bin/diffuse ]]; then
  echo "gpu_report: $build/bin/diffuse is not there; build first (scripts/setup.sh), or name a folder with --build" >&2
  exit 2
fi

tests=(device_tests ops_tests model_tests eval_tests train_tests bench_tests)
data=$project/data
if [[ $build == "$here" ]]; then data=$here/data; fi
data=${DIFFUSE_DATA:-$data}
readonly rows=86680 most_bytes=$((64 << 20))

if [[ -n $pack ]]; then
  mkdir -p "$pack/tests/bin"
  cp -r "$build/bin" "$build/libexec" "$build/share" "$pack/"
  for name in "${tests[@]}"; do cp "$build/tests/bin/$name" "$pack/tests/bin/"; done
  # What the tests read beside their programs.
  cp -r "$build/tests/bin/foreign" "$build/tests/bin/stale" "$pack/tests/bin/"
  mkdir -p "$pack/tests/fixtures/model" "$pack/tests/fixtures/train" "$pack/tests/fixtures/eval"
  cp -r "$project/tests/model/fixtures" "$pack/tests/fixtures/model/"
  cp "$project"/tests/train/*.json "$pack/tests/fixtures/train/"
  cp "$project"/tests/eval/*.json "$pack/tests/fixtures/eval/"
  if [[ -f $data/ag_news/train.csv ]]; then
    mkdir -p "$pack/data/ag_news"
    # Every row is one line.
    head -n "$rows" "$data/ag_news/train.csv" | gzip -9n > "$pack/data/ag_news/train.csv.gz"
    gzip -9nc "$data/ag_news/test.csv" > "$pack/data/ag_news/test.csv.gz"
    cp "$data/ag_news/classes.txt" "$pack/data/ag_news/"
  else
    echo "gpu_report: $data/ag_news/train.csv is not there: packed without AG News (scripts/get_data.sh fetches it; DIFFUSE_DATA says where it is)" >&2
  fi
  cp "${BASH_SOURCE[0]}" "$pack/gpu_report.sh"
  cp -r "$project/scripts/gpu_report_tables.py" "$project/scripts/peers" "$pack/"
  strip "$pack"/libexec/* "$pack"/bin/* "$pack"/tests/bin/*_tests "$pack"/tests/bin/*/*.so 2>/dev/null || true
  bytes=$(find "$pack" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
  echo "$((bytes / 1000000)) MB"
  if [[ $bytes -gt $most_bytes ]]; then
    echo "gpu_report: $pack holds $bytes bytes; expected at most $most_bytes (pack into a new folder, from a release build)" >&2
    exit 1
  fi
  exit 0
fi

if [[ -z ${DIFFUSE_LIBTORCH:-} ]] && found=$(python3 -c 'import torch; print(torch.__path__[0])' 2>/dev/null); then
  export DIFFUSE_LIBTORCH=$found
fi
if [[ -n ${DIFFUSE_LIBTORCH:-} ]]; then
  # The tests have no launcher in front of them.
  libraries=$DIFFUSE_LIBTORCH/lib
  for folder in "$DIFFUSE_LIBTORCH"/../nvidia/*/lib; do libraries+=:$folder; done
  export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
if [[ -d $build/tests/fixtures ]]; then export DIFFUSE_TEST_DATA=$build/tests/fixtures; fi
diffuse=$build/bin/diffuse
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
start=$SECONDS
log() { echo "gpu_report: $*" >&2; }

# Nine minutes, with some seconds to write the report in. A part that the time is over for is ended
# and counts as failed; what it has measured by then is in the report.
limit_s=${DIFFUSE_REPORT_LIMIT:-520}
within() { # SECONDS_TO_KEEP COMMAND...: as long as the whole may last, but for what comes behind
  local left=$((limit_s - (SECONDS - start) - $1))
  shift
  timeout --kill-after=10 "$((left > 1 ? left : 1))" "$@"
}
epochs_s=90 peers_s=100 bench_s=100

"$diffuse" version > "$work/version.txt"
"$diffuse" version --json > "$work/version.json"
name=$(date -u +%Y-%m-%d)-$(sed -n 's/.*"cuda": "\([^(]*\)(.*/\1/p' "$work/version.json" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-*//; s/-*$//')
name=${name%-}
report=$out/$name.md
failed=0
note() { echo "- $*" >> "$work/notes.txt"; }
fail() {
  failed=1
  note "$*"
}
# Tests that are for machines without a GPU have it in their names.
filter='*' has_gpu=no
if [[ $device != cpu* ]] || grep -q '"cuda": ".*cuda:0' "$work/version.json"; then
  has_gpu=yes filter='-*WithoutADriver*'
fi

log "tests"
{
  echo '| tests | passed | skipped | failed |'
  echo '|---|---:|---:|---:|'
} > "$work/tests.md"
for program in "${tests[@]}"; do
  if [[ ! -x $build/tests/bin/$program ]]; then
    fail "$program is not in $build/tests/bin."
    continue
  fi
  within $((epochs_s + peers_s + bench_s)) "$build/tests/bin/$program" --gtest_filter="$filter" > "$work/$program.txt" 2>&1 ||
    fail "$program failed."
  count() { grep -c "^\[ *$1 \] [A-Za-z0-9_/]*\." "$work/$program.txt" || true; }
  number() { sed -n "s/^\[  $1 *\] \([0-9]*\) tests\?[,.].*/\1/p" "$work/$program.txt"; }
  skipped=$(number SKIPPED) broken=$(number FAILED)
  ended=$(grep -q '^\[==========\].*ran\.' "$work/$program.txt" || echo ' (did not end)')
  if [[ $has_gpu == yes && -n $skipped ]]; then
    fail "$program skipped, though there is to be a GPU: $(sed -n 's/^\[  SKIPPED \] \([A-Za-z0-9_/]*\.[A-Za-z0-9_/]*\)$/\1/p' "$work/$program.txt" | paste -sd ' ')."
  fi
  echo "| $program$ended | $(count OK) | ${skipped:-0} | ${broken:-0} |" >> "$work/tests.md"
  echo "$program $(count OK) ${skipped:-0} ${broken:-0}" >> "$work/tests.txt"
  # What failed, and why.
  if [[ -n $broken ]]; then grep -B 20 '^\[  FAILED  \] [A-Za-z0-9_/]*\..* ms)$' "$work/$program.txt" > "$work/$program.failed" || true; fi
done

log "comparison at the paper's settings"
read -ra cases <<< "${DIFFUSE_REPORT_CASES:---batch-size 16,64 --seq-len 128,512,4096}"
within $((epochs_s + peers_s)) "$diffuse" --quiet bench --device "$device" "${cases[@]}" \
  --budget "${DIFFUSE_REPORT_BUDGET:-20}" --format json --output "$work/bench.json" ||
  fail "The comparison did not end."

log "DistilBERT beside transformers"
peers_python=""
candidates=("$project/.deps/python/bin/python" "$(command -v python3 || true)")
if [[ -n ${DIFFUSE_PYTHON:-} ]]; then candidates=("$DIFFUSE_PYTHON"); fi
for candidate in "${candidates[@]}"; do
  if [[ -z $peers_python && -x $candidate ]] && "$candidate" - 2> /dev/null <<'END'; then
import importlib.util
import sys

sys.exit(any(importlib.util.find_spec(module) is None for module in ("torch", "transformers")))
END
    peers_python=$candidate
  fi
done
if [[ -n $peers_python ]]; then
  if [[ -n ${DIFFUSE_REPORT_PEERS:-} ]]; then
    peers=("$DIFFUSE_REPORT_PEERS")
  elif [[ $device == cpu ]]; then
    peers=("--batch 1 --seq-len 64 --precision fp32,bf16 --rounds 3")
  else
    peers=("--batch 64 --seq-len 128 --mode train --precision tf32,bf16 --rounds 2"
      "--batch 1 --seq-len 128 --mode inference --precision fp32,bf16 --rounds 2")
  fi
  for one in "${peers[@]}"; do
    read -ra arguments <<< "$one"
    within "$epochs_s" "$peers_python" "$here/peers/distilbert_step.py" --device "$device" --diffuse "$diffuse" \
      "${arguments[@]}" >> "$work/peers.jsonl" 2> "$work/peers.txt" ||
      fail "DistilBERT beside transformers ($one) did not end: $(tail -n 1 "$work/peers.txt")"
  done
else
  note "No Python with torch and transformers here: DistilBERT was not measured beside transformers."
fi

log "one epoch of AG News"
train=""
for candidate in "$data/ag_news/train.csv" "$data/ag_news/train.csv.gz"; do
  if [[ -f $candidate ]]; then train=$candidate; fi
done
if [[ -n $train ]]; then
  for precision in fp32 auto; do
    DIFFUSE_DATA=$data within 0 "$diffuse" --quiet train --config agnews-diffusion.json --device "$device" \
      --set data.train="$train" --set data.test="${train/train.csv/test.csv}" --set data.max_rows=$rows \
      --set train.length=1e --set train.precision=$precision --out "$work/$precision" > "$work/$precision.txt" ||
      fail "The epoch in $precision did not end."
  done
else
  note "AG News is not in $data/ag_news: no epoch of it was trained."
fi

python=$(command -v python3 || true)
{
  echo "# $name"
  echo
  echo "Made by scripts/gpu_report.sh."
  echo
  echo '```'
  cat "$work/version.txt"
  echo '```'
  echo
  cat "$work/tests.md"
  for program in "${tests[@]}"; do
    if [[ -s $work/$program.failed ]]; then
      printf '\n```\n'
      cat "$work/$program.failed"
      echo '```'
    fi
  done
  for precision in fp32 auto; do
    if [[ -f $work/$precision/metrics.jsonl ]]; then
      echo
      echo "One epoch of AG News, \`train.precision = $precision\`:"
      echo
      echo '```'
      cat "$work/$precision.txt"
      grep '"type":"epoch"' "$work/$precision/metrics.jsonl"
      echo '```'
    fi
  done
  if [[ -n $python ]]; then "$python" "$here/gpu_report_tables.py" markdown "$work" || fail "Its tables could not be made."; fi
  if [[ -f $work/notes.txt ]]; then
    echo
    cat "$work/notes.txt"
  fi
  echo
  echo "Made in $((SECONDS - start)) s."
} > "$report"
if [[ -n $python ]]; then
  "$python" "$here/gpu_report_tables.py" json "$work" > "$out/$name.json" || failed=1
elif [[ -f $work/bench.json ]]; then
  cp "$work/bench.json" "$out/$name.json"
fi
wrote=$report
if [[ -f $out/$name.json ]]; then wrote+=" and $out/$name.json"; fi
log "wrote $wrote in $((SECONDS - start)) s"
exit $failed
