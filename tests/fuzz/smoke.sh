#!/usr/bin/env bash
# A short run of every fuzz target: `smoke.sh [RUNS] [TARGET...]`. The figures of a run like this say
# that the targets work; long runs are made with more RUNS. Needs Rust and a C++ compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

runs=${1:-20000}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(frames entries chains cards change_gate batch documents api_requests)

readonly CARGO_FUZZ=0.13.2
cargo fuzz --version 2>/dev/null | grep -qx "cargo-fuzz $CARGO_FUZZ" ||
  env -u CARGO_TARGET_DIR cargo install cargo-fuzz --version "$CARGO_FUZZ" --locked --force
# The instrumentation is in the stable compiler; only its flags are not.
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/fuzz"
features=()
for target in "${targets[@]}"; do
  [ "$target" != config ] || features=(--features config)
done
cargo fuzz build --fuzz-dir . --sanitizer none "${features[@]}" >/dev/null
for target in "${targets[@]}"; do
  found=$(mktemp -d)
  mkdir -p "corpus/$target"
  # New inputs go into a folder of their own: the committed corpus stays small.
  cargo fuzz run --fuzz-dir . --sanitizer none "${features[@]}" "$target" "$found" "corpus/$target" -- \
    -runs="$runs" -rss_limit_mb=256 -timeout=10 -max_len=8192 -print_final_stats=1 2>&1 |
    awk -v target="$target" '
      /stat::number_of_executed_units/ { runs = $2 }
      /stat::peak_rss_mb/ { rss = $2 }
      /ERROR|SUMMARY|panicked/ { print; bad = 1 }
      END { printf "%-14s %12s executions, peak %4s MB\n", target, runs, rss; exit bad }'
  rm -rf "$found"
done
