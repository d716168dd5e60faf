#!/usr/bin/env bash
# Set-up, then every test. Arguments go to scripts/setup.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh "$@"
cmake --build --preset release --parallel "$(nproc)"
ctest --preset release
