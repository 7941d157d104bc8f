#!/bin/sh
# What the browser part needs beside Rust: Node.js, Chromium, a compiler for wasm32, and the packages of package-lock.json.
# Installs what is missing where it can, and says so; otherwise says what to install. Changes nothing that is there.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*"; }

# apt PACKAGE...: install as root on Debian and its like.
apt() {
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        say "installing with apt-get: $*"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" > /dev/null ||
            { apt-get update -q > /dev/null && apt-get install -y -q --no-install-recommends "$@" > /dev/null; }
    else
        say "error: $1 is missing" >&2
        say "  hint: install it, as with \`sudo apt-get install --no-install-recommends $*\`" >&2
        exit 1
    fi
}

# Where a newer Node.js is put if the system's is too old; `tests/run` looks there, too.
own="${HOME:?}/.cache/remotemedia-pack/node"
PATH="$own/node_modules/node/bin:$PATH"
has_node() {
    node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1);
    '
}
command -v node > /dev/null && command -v npm > /dev/null || apt nodejs npm
if ! has_node; then
    say "Node.js is $(node --version), and 20.19 or later is needed; installing one with npm into $own"
    npm install --no-audit --no-fund --loglevel=error --prefix "$own" node@22
    # The shell knows where the old one is.
    hash -r
    has_node || { say 'error: it does not work' >&2; say '  hint: https://nodejs.org' >&2; exit 1; }
    say "it is used by tests/run; for commands of your own, put $own/node_modules/node/bin into PATH"
fi

if [ -n "${RM_CHROMIUM:-}" ]; then
    [ -x "$RM_CHROMIUM" ] || { say "error: RM_CHROMIUM names $RM_CHROMIUM, which is no program" >&2; exit 1; }
elif ! [ -x /usr/bin/chromium ] && ! [ -x /usr/bin/chromium-browser ] && ! [ -x /usr/bin/google-chrome ]; then
    apt chromium
fi

target=wasm32-unknown-unknown
has_target() {
    folder=$(rustc --print target-libdir --target "$target" 2> /dev/null) && [ -d "$folder" ]
}
has_debian() {
    [ -x /usr/bin/rustc ] && [ -e "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std/src/lib.rs" ]
}
if ! has_target && ! has_debian; then
    if command -v rustup > /dev/null && rustup target add "$target" > /dev/null 2>&1; then
        say "installed with rustup: the target $target"
    else
        say "rustup has no $target here; Debian's compiler can do it"
        apt rustc-web cargo-web rust-web-src lld
    fi
fi

# With the standard library's source the executor is a twentieth smaller; without, it is built all the same.
source=lib/rustlib/src/rust/library/std/src/lib.rs
if has_target && command -v rustup > /dev/null && ! [ -e "$(rustc --print sysroot)/$source" ]; then
    if rustup component add rust-src > /dev/null 2>&1; then
        say 'installed with rustup: the component rust-src'
    fi
fi

# Only what the lock file says, checked by its hashes; nothing to do if that is there already.
if ! [ -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say 'installing with npm: what package-lock.json names'
    npm ci --no-audit --no-fund --loglevel=error
fi
