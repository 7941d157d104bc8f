#!/bin/sh
# Rebuild shim.wasm from shim.c. Needs clang and lld 19 (Debian: clang-19 lld-19).
# Usage: build-shim.sh [OUTPUT]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
output=${1:-$here/shim.wasm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clang-19 --target=wasm32-wasip1 -O2 -fPIC -fvisibility=hidden -ffreestanding -nostdinc -fno-builtin \
    -mbulk-memory -Wall -Wextra -Werror -Wno-incompatible-library-redeclaration -c "$here/shim.c" -o "$work/shim.o"
wasm-ld-19 --experimental-pic -shared --strip-all --unresolved-symbols=import-dynamic "$work/shim.o" -o "$output"
