#!/usr/bin/env bash
# From a clone to a trained classifier: set-up, training on the Reuters R8 data in data/r8,
# evaluation, predictions. Arguments go to scripts/setup.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh "$@"

step() { printf '\n\033[1m$ %s\033[0m\n' "$*" >&2; "$@"; }
{ [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; } || step() { printf '\n$ %s\n' "$*" >&2; "$@"; }

diffuse=build/release/bin/diffuse
run=runs/quickstart
number=2
while [ -e "$run" ]; do
  run=runs/quickstart-$number
  number=$((number + 1))
done

step "$diffuse" train --config configs/r8.json --out "$run"
step "$diffuse" eval --checkpoint "$run"
printf '%s\n' \
  'oil prices fell sharply after opec raised its output ceiling' \
  'the company said net profit rose to mln dlrs or cts a share in the fourth quarter' \
  'cargo ships waited at the port as seamen went on strike' |
  step "$diffuse" predict --checkpoint "$run" -
