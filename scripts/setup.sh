#!/usr/bin/env bash
# Everything that building and running diffuse needs, then a release build of the program. Safe to run again: what
# is there is left alone. Tried on Debian 12; Ubuntu 22.04 and 24.04 should work and are not tried.
set -euo pipefail

readonly torch_version=2.11.0
# What libtorch_cpu.so of that wheel names; the rest of the wheel's 3 GB of CUDA libraries is for GPUs.
readonly slim_extras=(nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85)
# nvcc asks for its parts by name alone, and would get newer ones that it does not work with.
readonly nvcc_wheels=('nvidia-cuda-nvcc==13.0.*' 'nvidia-cuda-crt==13.0.*' 'nvidia-nvvm==13.0.*')
packages=(g++ cmake ninja-build libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev libbenchmark-dev libutf8proc-dev zlib1g-dev libxxhash-dev libhwy-dev python3-venv
  ca-certificates git)

usage() {
  cat <<'END'
Usage: scripts/setup.sh [--python] [--peers] [--libtorch DIR] [--slim] [--no-build] [-DNAME=VALUE ...]

  --python        also makes .deps/python, a virtual environment for the reference scripts: 0.4 GB,
                  and the full LibTorch in it where .deps has none
  --peers         also what scripts/peers compares with: Debian's fasttext, and scikit-learn in .deps/python
                  (0.3 GB)
  --libtorch DIR  uses the LibTorch in DIR (holds include/ and lib/; any 2.x from 2.6 up, 2.11 is the
                  one tried) instead of fetching one; the build folder remembers it
  --slim          the small CPU form, also where there is a CUDA toolkit; the build folder remembers
                  it (delete build/release to choose anew)
  --no-build      stops before configuring and building
  -DNAME=VALUE    handed to CMake

LibTorch goes into .deps: with a CUDA toolkit (nvcc) in full, about 4.6 GB; else slim, about 0.6 GB.
The release build goes into build/release, the program is build/release/bin/diffuse.
END
}

say() { printf '%s\n' "$*" >&2; }
fail() { say "setup: $*"; exit 1; }

cd "$(dirname "${BASH_SOURCE[0]}")/.."
with_python=no with_peers=no slim=no build=yes libtorch=""
cmake_arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    --python) with_python=yes ;;
    --peers) with_peers=yes ;;
    --slim) slim=yes ;;
    --no-build) build=no ;;
    --libtorch)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      libtorch=$2
      shift
      ;;
    -D?*) cmake_arguments+=("$1") ;;
    -h | --help) usage; exit 0 ;;
    *) say "setup: unknown argument $1"; usage >&2; exit 2 ;;
  esac
  shift
done
if [ -n "$libtorch" ]; then
  [ "$slim" = no ] || { say "setup: --slim and --libtorch exclude each other"; exit 2; }
  [ -d "$libtorch" ] || { say "setup: --libtorch $libtorch: no such folder"; exit 2; }
  libtorch=$(cd "$libtorch" && pwd)
fi

install_packages() {
  local missing=() name
  if ! command -v dpkg-query > /dev/null; then
    say "setup: no dpkg here; taking for granted that these are installed: ${packages[*]}"
    return
  fi
  for name in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2> /dev/null | grep -q '^ii' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "setup: installing ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || fail "these packages are missing, and neither root nor sudo is at hand: ${missing[*]}"
    as_root=(sudo)
  fi
  local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  "${as_root[@]}" "${quiet[@]}" update
  "${as_root[@]}" "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" > /dev/null
}

# The CUDA compiler: where CUDACXX says, on the path, or where CUDA_HOME says or else its installer puts it.
find_nvcc() {
  local candidate
  for candidate in "${CUDACXX:-}" "$(command -v nvcc || true)" "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
}

driver_present() {
  # No pipe to `grep -q`: that ends at the first match, and pipefail takes ldconfig's broken pipe for "no match".
  [[ $(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2> /dev/null) == *libcuda.so.1* ]]
}

stamped() { [ -f "$1/.complete" ] && [ "$(cat "$1/.complete")" = "$2" ]; }

# fetch TARGET STAMP CLEANUP REQUIREMENT...: wheels unpacked into TARGET. Built up under another name
# and renamed, so that TARGET is whole or absent.
fetch() {
  local target=$1 stamp=$2 clean_up=$3
  shift 3
  local part=$target.part
  rm -rf "$part" .deps/pip
  mkdir -p .deps
  python3 -m venv .deps/pip
  say "setup: fetching $* into $target"
  # Where the caller has another way to go, `set -e` does not stop here: each failure is returned.
  if ! .deps/pip/bin/python -m pip --disable-pip-version-check install --quiet --no-compile --target "$part" "$@" ||
    ! "$clean_up" "$part"; then
    rm -rf "$part" .deps/pip
    return 1
  fi
  rm -rf .deps/pip
  printf '%s\n' "$stamp" > "$part/.complete"
  rm -rf "$target"
  mv "$part" "$target"
}

keep_all() { :; }

# Of the wheel: headers, the CPU libraries, its version and licences.
keep_cpu_half() {
  find "$1/torch" -mindepth 1 -maxdepth 1 ! -name include ! -name lib ! -name version.py -exec rm -rf {} + &&
    rm -f "$1"/torch/lib/libtorch_cuda*.so "$1"/torch/lib/libc10_cuda.so "$1"/torch/lib/libcaffe2_nvrtc.so \
      "$1"/torch/lib/libtorch_nvshmem.so "$1"/torch/lib/libtorch_python.so "$1"/torch/lib/libshm*.so &&
    find "$1" -mindepth 1 -maxdepth 1 ! -name torch ! -name nvidia ! -name '*.dist-info' -exec rm -rf {} +
}

# nvcc's wheel brings no libcudart.so for the linker, only the versioned one.
name_cudart() { ln -sf libcudart.so.13 "$1/nvidia/cu13/lib/libcudart.so"; }

fetch_slim() {
  local stamp="torch==$torch_version slim 1"
  stamped .deps/libtorch-cpu "$stamp" && return
  fetch .deps/libtorch-cpu "$stamp" keep_cpu_half --no-deps "torch==$torch_version" "${slim_extras[@]}"
}

fetch_full() {
  local stamp="torch==$torch_version full 1"
  stamped .deps/libtorch-cuda "$stamp" && return
  # Of a time before the toolkit: the same and more.
  stamped .deps/libtorch-cuda "torch==$torch_version full nvcc 1" && return
  fetch .deps/libtorch-cuda "$stamp" keep_all "torch==$torch_version"
}

fetch_full_with_nvcc() {
  local stamp="torch==$torch_version full nvcc 1"
  stamped .deps/libtorch-cuda "$stamp" && return
  fetch .deps/libtorch-cuda "$stamp" name_cudart "torch==$torch_version" "${nvcc_wheels[@]}"
}

remembered_libtorch() {
  [ -f build/release/CMakeCache.txt ] && sed -n 's/^DIFFUSE_LIBTORCH:PATH=//p' build/release/CMakeCache.txt
}

choose_libtorch() {
  local nvcc
  [ -n "$libtorch" ] || libtorch=${DIFFUSE_LIBTORCH:-$(remembered_libtorch || true)}
  if [ "$libtorch" = "$PWD/.deps/libtorch-cpu" ]; then  # --slim of an earlier time: ours to keep whole
    slim=yes
  fi
  if [ -n "$libtorch" ] && [ "$slim" = no ]; then
    [ -d "$libtorch" ] || fail "the LibTorch of before is gone from $libtorch; name another with --libtorch, or delete build/release"
    say "setup: using the LibTorch in $libtorch"
    cmake_arguments+=("-DDIFFUSE_LIBTORCH=$libtorch")
    return
  fi
  nvcc=$(find_nvcc)
  if [ "$slim" = yes ]; then
    fetch_slim
    cmake_arguments+=("-DDIFFUSE_LIBTORCH=$PWD/.deps/libtorch-cpu")
  elif [ -n "$nvcc" ]; then
    fetch_full
    cmake_arguments+=("-DCUDAToolkit_ROOT=$(dirname "$(dirname "$nvcc")")")
  elif driver_present; then
    if fetch_full_with_nvcc; then
      cmake_arguments+=("-DCUDAToolkit_ROOT=$PWD/.deps/libtorch-cuda/nvidia/cu13")
    else
      say "setup: there is an NVIDIA driver, but no CUDA toolkit (nvcc), and none could be fetched:"
      say "setup: building for the CPU. Install the toolkit and run scripts/setup.sh again for --device cuda."
      fetch_slim
    fi
  else
    fetch_slim
  fi
}

make_python() {
  local wanted=(transformers tokenizers safetensors tensorboard numpy jsonschema xxhash)
  # The full wheel, where it is there already: 4.6 GB need not be there twice.
  local linked=no
  [ ! -f .deps/libtorch-cuda/.complete ] || linked=yes
  local stamp="torch==$torch_version ${wanted[*]} linked=$linked"
  stamped .deps/python "$stamp" && return
  say "setup: making .deps/python"
  [ -x .deps/python/bin/python ] || python3 -m venv .deps/python
  local python=.deps/python/bin/python
  if [ "$linked" = yes ]; then
    printf '%s\n' "$PWD/.deps/libtorch-cuda" > "$($python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/torch-local.pth"
  else
    wanted+=("torch==$torch_version")
  fi
  "$python" -m pip --disable-pip-version-check install --quiet "${wanted[@]}"
  "$python" -c 'import torch, transformers, tokenizers, safetensors, tensorboard, numpy, jsonschema, xxhash' ||
    fail "the virtual environment .deps/python is not whole; delete it and run again"
  printf '%s\n' "$stamp" > .deps/python/.complete
}

make_peers_python() {
  [ -x .deps/python/bin/python ] || python3 -m venv .deps/python
  .deps/python/bin/python -c 'import sklearn' 2> /dev/null && return
  say "setup: scikit-learn into .deps/python"
  .deps/python/bin/python -m pip --disable-pip-version-check install --quiet scikit-learn
}

[ "$with_peers" = no ] || packages+=(fasttext)
install_packages
choose_libtorch
[ "$with_python" = no ] || make_python
[ "$with_peers" = no ] || make_peers_python
if [ "$build" = yes ]; then
  cmake --preset release "${cmake_arguments[@]}" >&2
  # The program; its tests, as much again to compile, are for scripts/test.sh.
  cmake --build --preset release --parallel "$(nproc)" --target diffuse >&2
  say "setup: done; the program is build/release/bin/diffuse"
fi
