#!/usr/bin/env bash
# Layers, format, spelling and static analysis; a tool that is not installed is named and passed over.
# --tidy adds clang-tidy (a quarter of an hour on two cores), as configured by .clang-tidy.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
failed=0

check() {
  local name=$1 tool=$2
  shift 2
  if ! command -v "$tool" > /dev/null; then
    echo "lint: $name: $tool is not installed, passed over"
  elif "$@"; then
    echo "lint: $name: good"
  else
    echo "lint: $name: FAILED"
    failed=1
  fi
}

tidy() {
  local files
  # Of the preset that compiles each source by itself.
  [ -f build/debug/compile_commands.json ] || cmake --preset debug > /dev/null || return
  # The module's sources are in that preset only where there is a CUDA toolkit.
  mapfile -t files < <(git ls-files 'src/*.cpp' ':!src/cuda')
  printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy -p build/debug --quiet
}

check layers python3 python3 scripts/check_layers.py
check format clang-format scripts/format.sh --check
check spelling codespell codespell --ignore-words-list=thre,ot,te,fo,nd,ans,tthe,enty,trian,modle,nane,nin,kown,vie src include tests/*/*.cpp scripts docs README.md CONTRIBUTING.md
check shell shellcheck shellcheck --severity=warning scripts/*.sh scripts/peers/*.sh .ci/run
check cppcheck cppcheck cppcheck --quiet --error-exitcode=1 --std=c++20 --language=c++ \
  --enable=warning,performance,portability --inline-suppr --suppressions-list=.cppcheck \
  -I include -I src src
if [ "${1:-}" = --tidy ]; then
  check clang-tidy clang-tidy tidy
fi
exit "$failed"
