#!/usr/bin/env bash
# What this program does on a GPU, in one command and under nine minutes: the tests that need a GPU,
# the comparison with DistilBERT at the paper's settings, one epoch of AG News.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/gpu_report.sh [--build DIR] [--out DIR] [--device NAME]
       scripts/gpu_report.sh --pack DIR [--build DIR]

  --build DIR    build folder, or one made by --pack (default: build/release, or this script's own)
  --out DIR      where to write the reports (default: docs/reports, or reports/ in a packed folder)
  --device NAME  cuda (default), cuda:1, or cpu to try the script itself
  --pack DIR     copy what a machine with a GPU and LibTorch needs into DIR (under 60 MB)

LibTorch is found through DIFFUSE_LIBTORCH, or else in Python's torch. AG News is read from
DIFFUSE_DATA/ag_news, where it is there. Writes NAME.md and NAME.json. Ends within nine minutes:
what the time does not suffice for is cut short, and the report says so.
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

tests=(device_tests model_tests train_tests bench_tests)

if [[ -n $pack ]]; then
  mkdir -p "$pack/tests/bin"
  cp -r "$build/bin" "$build/libexec" "$build/share" "$pack/"
  for name in "${tests[@]}"; do cp "$build/tests/bin/$name" "$pack/tests/bin/"; done
  # What the tests read beside their programs.
  mkdir -p "$pack/tests/fixtures/model" "$pack/tests/fixtures/train"
  cp -r "$project/tests/model/fixtures" "$pack/tests/fixtures/model/"
  cp "$project"/tests/train/*.json "$pack/tests/fixtures/train/"
  cp "${BASH_SOURCE[0]}" "$pack/gpu_report.sh"
  strip "$pack"/libexec/* "$pack"/bin/* "$pack"/tests/bin/* 2>/dev/null || true
  du -sm "$pack" | cut -f1 | sed 's/$/ MB/'
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
epochs_s=150 bench_s=220

"$diffuse" version > "$work/version.txt"
"$diffuse" version --json > "$work/version.json"
name=$(date -u +%Y-%m-%d)-$(sed -n 's/.*"cuda": "\([^(]*\)(.*/\1/p' "$work/version.json" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-*//; s/-*$//')
name=${name%-}
report=$out/$name.md

log "tests"
{
  echo '| tests | passed | skipped | failed |'
  echo '|---|---:|---:|---:|'
} > "$work/tests.md"
failed=0
for program in "${tests[@]}"; do
  [[ -x $build/tests/bin/$program ]] || continue
  filter='*'
  if [[ $program != device_tests ]]; then filter='*cuda*:*Cuda*:*Gpu*:*Precision*'; fi
  within $((epochs_s + bench_s)) "$build/tests/bin/$program" --gtest_filter="$filter" > "$work/$program.txt" 2>&1 || failed=1
  count() { grep -c "^\[ *$1 \] [A-Za-z/]*\." "$work/$program.txt" || true; }
  skipped=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) tests\?,.*/\1/p' "$work/$program.txt")
  broken=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) tests\?,.*/\1/p' "$work/$program.txt")
  ended=$(grep -q '^\[==========\].*ran\.' "$work/$program.txt" || echo ' (did not end)')
  echo "| $program $filter$ended | $(count OK) | ${skipped:-0} | ${broken:-0} |" >> "$work/tests.md"
  echo "$program $(count OK) ${skipped:-0} ${broken:-0}" >> "$work/tests.txt"
done

log "comparison at the paper's settings"
read -ra cases <<< "${DIFFUSE_REPORT_CASES:---batch-size 16,64 --seq-len 128,512,4096}"
if within "$epochs_s" "$diffuse" --quiet bench --device "$device" "${cases[@]}" \
  --budget "${DIFFUSE_REPORT_BUDGET:-20}" --format json --output "$work/bench.json"; then
  :
else
  failed=1
  echo "The comparison did not end." >> "$work/cut.txt"
fi

log "one epoch of AG News"
data=${DIFFUSE_DATA:-$project/data}
if [[ -f $data/ag_news/train.csv ]]; then
  for precision in fp32 auto; do
    within 0 "$diffuse" --quiet train --config agnews.json --device "$device" --set train.length=1e \
      --set train.precision=$precision --out "$work/$precision" > "$work/$precision.txt" || {
      failed=1
      echo "The epoch in $precision did not end." >> "$work/cut.txt"
    }
  done
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
  if [[ -f $work/bench.json && -n $python ]]; then
    echo
    "$python" - "$work/bench.json" <<'END'
import json
import sys

bench = json.load(open(sys.argv[1], encoding="utf-8"))
print(f"{bench['ours']['name']} against {bench['other']['name']}\n")
print("| case | ours | other | times as long | times the memory |")
print("|---|---:|---:|---:|---:|")
for case in bench["cases"]:
    def best(side):
        ran = [m for m in case[side] if "median_s" in m]
        if not ran:
            return case[side][0].get("not_run", "")
        fastest = min(ran, key=lambda m: m["median_s"])
        return f"{1000 * fastest['median_s']:.4g} ms ({fastest['precision']})"
    time, memory = case.get("time_ratio"), case.get("memory_ratio")
    print(f"| {case['mode']} {case['batch_size']} x {case['seq_len']} | {best('ours')} | {best('other')} "
          f"| {format(time['value'], '.3g') if time else ''} | {format(memory, '.3g') if memory else ''} |")
print()
print(bench["sentence"])
for remark in bench["remarks"]:
    print(f"- {remark}")
END
  fi
  if [[ -f $work/cut.txt ]]; then
    echo
    cat "$work/cut.txt"
  fi
  echo
  echo "Made in $((SECONDS - start)) s."
} > "$report"
if [[ -n $python ]]; then
  "$python" - "$work" > "$out/$name.json" <<'END'
import json
import pathlib
import sys

work = pathlib.Path(sys.argv[1])
tests = [line.split() for line in (work / "tests.txt").read_text().splitlines()]
report = {
    "version": json.loads((work / "version.json").read_text()),
    "tests": {name: dict(zip(("passed", "skipped", "failed"), map(int, counts))) for name, *counts in tests},
    "bench": None,
    "epochs": {},
}
if (work / "bench.json").is_file():
    report["bench"] = json.loads((work / "bench.json").read_text(encoding="utf-8"))
for metrics in sorted(work.glob("*/metrics.jsonl")):
    lines = map(json.loads, metrics.read_text(encoding="utf-8").splitlines())
    report["epochs"][metrics.parent.name] = [line for line in lines if line["type"] == "epoch"]
    result = metrics.parent / "test.json"
    if result.is_file():
        report["epochs"][metrics.parent.name + "_test"] = json.loads(result.read_text(encoding="utf-8"))
print(json.dumps(report, indent=1))
END
elif [[ -f $work/bench.json ]]; then
  cp "$work/bench.json" "$out/$name.json"
fi
wrote=$report
if [[ -f $out/$name.json ]]; then wrote+=" and $out/$name.json"; fi
log "wrote $wrote in $((SECONDS - start)) s"
exit $failed
