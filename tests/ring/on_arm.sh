#!/usr/bin/env bash
# The ring tests on an emulated aarch64 (qemu-user): kernels compiled by the ARM backend, run as ARM instructions.
# Needs Debian's qemu-user-static, mmdebstrap and unzip; about 600 MB in FOLDER, ten minutes. See docs/decisions/0013.
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
folder="${1:?usage: tests/ring/on_arm.sh FOLDER [pytest arguments]}"
shift
mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"

if [ ! -d "$folder/site" ]; then
  mmdebstrap --architectures=arm64 --variant=extract --include=python3,libstdc++6,libgomp1,zlib1g bookworm "$folder/root"
  python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 311 --implementation cp --abi cp311 \
    --abi none --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_17_aarch64 \
    --platform manylinux2014_aarch64 --platform any --dest "$folder/wheels" \
    numpy==2.4.6 numba==0.68.1 llvmlite==0.50.0 msgspec hypothesis sortedcontainers pytest pytest-timeout pluggy \
    iniconfig packaging pygments
  for wheel in "$folder"/wheels/*.whl; do unzip -qo "$wheel" -d "$folder/site.new"; done
  mv "$folder/site.new" "$folder/site"
fi
mkdir -p "$folder/tmp" "$folder/home"

# Tests start processes of their own with sys.executable: this kernel cannot run an ARM binary by itself.
cat >"$folder/python" <<END
#!/usr/bin/env bash
exec env -i PATH=/usr/bin:/bin LANG=C.UTF-8 HOME="$folder/home" TMPDIR="$folder/tmp" XDG_CACHE_HOME="$folder/cache" \
  PYTHONPATH="$root:$folder/site" RINGCOLLECT_EXAMPLES="${RINGCOLLECT_EXAMPLES:-15}" \
  qemu-aarch64-static -L "$folder/root" "$folder/root/usr/bin/python3.11" "\$@"
END
chmod +x "$folder/python"
cd "$root"
exec "$folder/python" -c "
import sys
sys.executable = '$folder/python'
import pytest
raise SystemExit(pytest.main(sys.argv[1:]))
" tests/ring -q -p no:cacheprovider --timeout 900 -k "not memory_order and not model and not need_no_numba and not stress and not clean" "$@"
