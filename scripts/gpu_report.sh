#!/usr/bin/env bash
# What this program does on a GPU, in one command and under five minutes, the most important first: its
# operations and their speed, AG News, whether two runs and a resumed one are the same, the comparison
# with DistilBERT, the paper's table, what an update tells the GPU, answers, the tests, DistilBERT in
# transformers.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/gpu_report.sh [--build DIR] [--out DIR] [--device NAME]
       scripts/gpu_report.sh --sanitize [--build DIR] [--out DIR]
       scripts/gpu_report.sh --pack DIR [--build DIR]

  --build DIR    build folder, or one made by --pack (default: build/release, or this script's own)
  --out DIR      where to write the reports (default: docs/reports, or reports/ in a packed folder)
  --device NAME  cuda (default), cuda:1, or cpu to try the script itself
  --sanitize     run the tests of the operations under compute-sanitizer (memcheck and racecheck),
                 which must be on the machine (it comes with the CUDA toolkit), instead of measuring
  --pack DIR     copy what a machine with a GPU and LibTorch needs into DIR: at most 64 MiB, AG News
                 (its first 86,680 training rows, gzipped) among it where it is at hand; not
                 compute-sanitizer, which --sanitize there needs on that machine

LibTorch is found through DIFFUSE_LIBTORCH, or else in Python's torch. AG News is read from
DIFFUSE_DATA/ag_news, or else from the packed or the project's data/ag_news. A Python with torch and
transformers (DIFFUSE_PYTHON, the project's .deps/python or python3) measures DistilBERT in
transformers. Without the one or the other that part is left out, and the report says so.

Writes NAME.md and NAME.json, and fails where anything failed. Where there is a GPU, a skipped test
counts as failed. Each figure is in the report as soon as it is measured. Ends within five minutes:
what the time does not suffice for is cut short, and the report says so. With --sanitize each of the
two tools has five minutes of its own.
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(dirname "$here")
build="" out="" pack="" device=cuda sanitize=no
while [[ $# -gt 0 ]]; do
  case $1 in
    --build) build=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --pack) pack=$2; shift 2 ;;
    --device) device=$2; shift 2 ;;
    --sanitize) sanitize=yes; shift ;;
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
  cp "$build/tests/bin/launch_trace" "$pack/tests/bin/"
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
  cp -r "$project/scripts/gpu_report_tables.py" "$project/scripts/warm_predict.py" "$project/scripts/peers" "$pack/"
  strip "$pack"/libexec/* "$pack"/bin/* "$pack"/tests/bin/{*_tests,launch_trace} "$pack"/tests/bin/*/*.so 2>/dev/null || true
  gzip -nf "$pack"/tests/bin/{*_tests,launch_trace} # or the folder would be too large
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

# Five minutes, with some seconds to write the report in. The most important comes first, and every
# figure is in the report as soon as it is measured. A part that the time is over for is ended and
# counts as failed.
limit_s=${DIFFUSE_REPORT_LIMIT:-290}
within() { # SECONDS_AT_MOST COMMAND...
  local left=$((limit_s - (SECONDS - start)))
  left=$((left < $1 ? left : $1))
  shift
  timeout --kill-after=10 "$((left > 1 ? left : 1))" "$@"
}

# A program of the tests' folder, which has their way to the CUDA module: in a folder made by --pack
# it is packed until it is needed.
unpacked() { # PROGRAM
  local program=$build/tests/bin/$1
  if [[ ! -x $program && -f $program.gz ]]; then
    gunzip -c "$program.gz" > "$program" && chmod +x "$program"
  fi
  [[ -x $program ]]
}

"$diffuse" version > "$work/version.txt"
"$diffuse" version --json > "$work/version.json"
# The number formats of this device, as train.precision names them: before compute capability 8.0
# there is neither bf16 nor tf32, and a CPU has no tf32.
half=bf16 tf32=""
if [[ $device != cpu* ]]; then
  capability=$(sed -n 's/.*"cuda": "[^(]*(\([0-9]*\)\..*/\1/p' "$work/version.json")
  if [[ ${capability:-9} -lt 8 ]]; then half=fp16; else tf32=tf32; fi
fi
read -ra precisions <<< "fp32 $half $tf32"
name=$(date -u +%Y-%m-%d)-$(sed -n 's/.*"cuda": "\([^(]*\)(.*/\1/p' "$work/version.json" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-*//; s/-*$//')
name=${name%-}
report=$out/$name.md
python=$(command -v python3 || true)
failed=0
say() { printf '%s\n' "$@" >> "$report"; }
fail() {
  failed=1
  say "- $*"
}
tables() { # PART: of what is measured so far
  if [[ -n $python ]]; then "$python" "$here/gpu_report_tables.py" "$1" "$work" >> "$report" || fail "The table of $1 could not be made."; fi
}
: > "$report"
say "# $name" '' 'Made by scripts/gpu_report.sh.' '' '```'
cat "$work/version.txt" >> "$report"
say '```'

part_operations() {
  say '' '## Operations against float64, and their speed' ''
  within 60 "$diffuse" selftest --device "$device" --speed --json > "$work/selftest.json" ||
    fail "Operations are wrong, or their speeds were not measured."
  tables operations
}

train=""
for candidate in "$data/ag_news/train.csv" "$data/ag_news/train.csv.gz"; do
  if [[ -f $candidate ]]; then train=$candidate; fi
done
ag_news() { # SECONDS CONFIG OUT SETTINGS...: a training on AG News
  local seconds=$1 config=$2 to=$3
  shift 3
  DIFFUSE_DATA=$data within "$seconds" "$diffuse" --quiet train --config "$config" --device "$device" \
    --set data.train="$train" --set data.test="${train/train.csv/test.csv}" --set data.max_rows=$rows \
    --out "$work/$to" "$@" > "$work/$to.txt" 2> "$work/$to.err"
}

# The second epoch is what an epoch takes: the first records what is launched.
part_epochs() {
  say '' '## AG News, two epochs of agnews-diffusion.json' ''
  for precision in "${precisions[@]}"; do
    ag_news 60 agnews-diffusion.json "$precision" --set train.length=2e --set train.precision="$precision" ||
      fail "The epochs in $precision did not end: $(tail -n 1 "$work/$precision.err")"
  done
  tables epochs
}

same_bytes_in() { # PRECISION
  local precision=$1 run half_way
  local updates=${DIFFUSE_REPORT_UPDATES:-400}
  local settings=(--set train.length="${updates}u" --set train.evaluate_every="$((updates / 2))u"
    --set train.precision="$precision" --set data.test= --set train.keep_checkpoints=5)
  for run in first second; do
    if ! ag_news 60 agnews-diffusion.json "$run-$precision" "${settings[@]}"; then
      fail "A run in $precision did not end: $(tail -n 1 "$work/$run-$precision.err")"
      return
    fi
  done
  # The first half of the second run, gone on with.
  half_way=$(printf '%06d' $((updates / 2)))
  cp -r "$work/second-$precision" "$work/resumed-$precision"
  rm -rf "$work/resumed-$precision/checkpoints/$(printf '%06d' "$updates")"
  for link in last best; do ln -sfn "$half_way" "$work/resumed-$precision/checkpoints/$link"; done
  within 60 "$diffuse" --quiet train --resume "$work/resumed-$precision" > "$work/resumed.txt" 2>&1 ||
    fail "The resumed run in $precision did not end: $(tail -n 1 "$work/resumed.txt")"
  for run in second resumed; do
    if cmp -s "$work"/{first,$run}-"$precision/checkpoints/last/model.safetensors"; then
      say "- $precision: the weights of the $run run are those of the first one, byte by byte."
      echo "{\"precision\": \"$precision\", \"run\": \"$run\", \"same\": true}" >> "$work/same.jsonl"
    else
      fail "$precision: the weights of the $run run are others than those of the first one."
      echo "{\"precision\": \"$precision\", \"run\": \"$run\", \"same\": false}" >> "$work/same.jsonl"
    fi
  done
}

part_same_bytes() {
  say '' '## The same bytes' ''
  same_bytes_in fp32
  same_bytes_in "$half"
  # Not asked for, and only where it leaves most of the time to the other parts.
  if [[ -n $tf32 ]]; then
    if [[ $((SECONDS - start)) -lt $((limit_s / 3)) ]]; then
      same_bytes_in "$tf32"
    else
      say "- $tf32: left out, or the time would not suffice for the rest."
    fi
  fi
}

part_bench() {
  say '' '## Against DistilBERT' ''
  read -ra cases <<< "${DIFFUSE_REPORT_CASES:---batch-size 64 --seq-len 128,512 --mode train}"
  for config in paper agnews-diffusion; do
    within 70 "$diffuse" --quiet bench --config "$config.json" --device "$device" "${cases[@]}" \
      --budget "${DIFFUSE_REPORT_BUDGET:-20}" --format json --output "$work/bench-$config.json" 2> "$work/bench.err" ||
      fail "The comparison of $config.json did not end: $(tail -n 1 "$work/bench.err")"
  done
  tables bench
}

# The second of two epochs here, too. Mixed precision is the half precision that the device has.
part_paper() {
  say '' "## The paper's Table 1: an epoch of AG News" ''
  # Every row is one line, and none is set aside.
  gzip -dcf "$train" | head -n "$rows" | wc -l > "$work/rows.txt" || true
  for config in paper paper-notebook; do
    for precision in fp32 "$half"; do
      ag_news 40 $config.json "$config-$precision" --set train.length=2e --set train.evaluate_every=1e \
        --set data.test= --set train.precision="$precision" ||
        fail "$config.json in $precision did not end: $(tail -n 1 "$work/$config-$precision.err")"
    done
  done
  tables paper
}

# On a GPU LibTorch's trace of CUDA's calls, too; elsewhere the operations alone, by hooks. DistilBERT
# takes seconds an update on a CPU, and is last, or what it lacks time for would be ours.
part_launches() {
  local configs
  read -ra configs <<< "${DIFFUSE_REPORT_LAUNCHES:-agnews-diffusion paper paper-notebook}"
  configs=("${configs[@]/#/$build/share/diffuse/configs/}")
  configs=("${configs[@]/%/.json}")
  say '' '## Launches and synchronisations an update' ''
  local trace=$build/tests/bin/launch_trace
  if ! unpacked launch_trace; then
    fail "launch_trace is not in $build/tests/bin."
    return
  fi
  within 90 "$trace" "$device" "${configs[@]}" > "$work/launches.jsonl" 2> "$work/launches.err" ||
    fail "Launches were not counted: $(tail -n 1 "$work/launches.err")"
  if [[ $device != cpu* ]]; then
    within 30 "$trace" "$device" "$build/share/diffuse/configs/distilbert-agnews.json" >> "$work/launches.jsonl" 2> "$work/launches.err" ||
      fail "DistilBERT's launches were not counted: $(tail -n 1 "$work/launches.err")"
  fi
  tables launches
}

part_answers() {
  say '' '## An answer to one text' ''
  within 40 "$diffuse" --quiet bench --config agnews-diffusion.json --kernel reference \
    --compare agnews-diffusion.json --device "$device" --batch-size 1 \
    --seq-len "${DIFFUSE_REPORT_ANSWER:-64}" --mode inference --budget "${DIFFUSE_REPORT_BUDGET:-20}" --format json --output "$work/answers.json" 2> "$work/answers.err" ||
    fail "Answers were not timed: $(tail -n 1 "$work/answers.err")"
  # A process of `predict` that answers text by text.
  local model=""
  for precision in "${precisions[@]}"; do
    if [[ -z $model && -e $work/$precision/checkpoints/last ]]; then model=$work/$precision; fi
  done
  if [[ -n $model && -n $python ]]; then
    within 20 "$python" "$here/warm_predict.py" --diffuse "$diffuse" --model "$model" --device "$device" \
      --texts "${train/train.csv/test.csv}" > "$work/warm.json" 2> "$work/warm.err" ||
      { rm -f "$work/warm.json"; fail "Answers of predict were not timed: $(tail -n 1 "$work/warm.err")"; }
  fi
  tables answers
}

# Tests that are for machines without a GPU have it in their names.
filter=${DIFFUSE_REPORT_TESTS:-*} has_gpu=no
if [[ $device != cpu* ]] || grep -q '"cuda": ".*cuda:0' "$work/version.json"; then
  has_gpu=yes filter='-*WithoutADriver*'
fi

part_tests() {
  local program skipped broken ended
  say '' '## Tests' '' '| tests | passed | skipped | failed |' '|---|---:|---:|---:|'
  for program in "${tests[@]}"; do
    if ! unpacked "$program"; then
      echo "$program is not in $build/tests/bin." >> "$work/tests.problems"
      continue
    fi
    within 600 "$build/tests/bin/$program" --gtest_filter="$filter" > "$work/$program.txt" 2>&1 ||
      echo "$program failed." >> "$work/tests.problems"
    count() { grep -c "^\[ *$1 \] [A-Za-z0-9_/]*\." "$work/$program.txt" || true; }
    number() { sed -n "s/^\[  $1 *\] \([0-9]*\) tests\?[,.].*/\1/p" "$work/$program.txt"; }
    skipped=$(number SKIPPED) broken=$(number FAILED)
    ended=$(grep -q '^\[==========\].*ran\.' "$work/$program.txt" || echo ' (did not end)')
    if [[ $has_gpu == yes && -n $skipped ]]; then
      echo "$program skipped, though there is to be a GPU: $(sed -n 's/^\[  SKIPPED \] \([A-Za-z0-9_/]*\.[A-Za-z0-9_/]*\)$/\1/p' "$work/$program.txt" | paste -sd ' ')." >> "$work/tests.problems"
    fi
    say "| $program$ended | $(count OK) | ${skipped:-0} | ${broken:-0} |"
    echo "$program $(count OK) ${skipped:-0} ${broken:-0}" >> "$work/tests.txt"
  done
  say ''
  if [[ -f $work/tests.problems ]]; then
    while read -r problem; do fail "$problem"; done < "$work/tests.problems"
  fi
  # What failed, and why.
  for program in "${tests[@]}"; do
    if grep -q '^\[  FAILED  \]' "$work/$program.txt" 2> /dev/null; then
      say '' '```'
      grep -B 20 '^\[  FAILED  \] [A-Za-z0-9_/]*\..* ms)$' "$work/$program.txt" >> "$report" || true
      say '```'
    fi
  done
}

part_transformers() {
  say '' '## DistilBERT here and in transformers' ''
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
      within 60 "$peers_python" "$here/peers/distilbert_step.py" --device "$device" --diffuse "$diffuse" \
        "${arguments[@]}" >> "$work/peers.jsonl" 2> "$work/peers.txt" ||
        fail "DistilBERT beside transformers ($one) did not end: $(tail -n 1 "$work/peers.txt")"
    done
  else
    say "- No Python with torch and transformers here: DistilBERT was not measured beside transformers."
  fi
  tables transformers
}

if [[ $sanitize == yes ]]; then
  # A text of 65,536 tokens is one row after the other for a tool that watches each access; what its
  # length adds to the index arithmetic is tested on the CPU.
  unpacked ops_tests || fail "ops_tests is not in $build/tests/bin."
  for tool in memcheck racecheck; do
    log "compute-sanitizer $tool"
    problem=""
    say '' "## compute-sanitizer --tool $tool" '' '```'
    timeout --kill-after=10 "${DIFFUSE_REPORT_LIMIT:-300}" compute-sanitizer --tool "$tool" --error-exitcode 3 \
      "$build/tests/bin/ops_tests" --gtest_filter='*/cuda-*ALongText*' > "$work/$tool.txt" 2>&1 || problem=$?
    grep -E '^=========|^\[  (PASSED|FAILED)' "$work/$tool.txt" | tail -n 40 >> "$report" || true
    say '```'
    case $problem in
      "") ;;
      124 | 137) fail "compute-sanitizer --tool $tool did not end in time." ;;
      127) fail "compute-sanitizer is not on this machine." ;;
      *) fail "compute-sanitizer --tool $tool found something, or did not run." ;;
    esac
  done
else
  log "operations" && part_operations
  if [[ -n $train ]]; then
    log "AG News" && part_epochs
    log "the same bytes" && part_same_bytes
  fi
  log "against DistilBERT" && part_bench
  if [[ -n $train ]]; then log "the paper's table" && part_paper; fi
  log "launches" && part_launches
  log "answers" && part_answers
  log "tests" && part_tests
  log "DistilBERT in transformers" && part_transformers
  if [[ -z $train ]]; then say '' "- AG News is not in $data/ag_news: nothing was trained on it."; fi
fi
say '' "Made in $((SECONDS - start)) s."
if [[ -n $python && $sanitize == no ]]; then
  "$python" "$here/gpu_report_tables.py" json "$work" > "$out/$name.json" || failed=1
fi
wrote=$report
if [[ -f $out/$name.json ]]; then wrote+=" and $out/$name.json"; fi
log "wrote $wrote in $((SECONDS - start)) s"
exit $failed
