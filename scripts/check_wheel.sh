#!/usr/bin/env bash
# Install a built wheel alone in an empty environment and run the sample with it from another
# folder: the reference data must travel inside the wheel, and the runtime lock must be enough.
# Usage: scripts/check_wheel.sh WHEEL
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
wheel=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
python=${PYTHON:-$root/.venv/bin/python}

fail() {
    echo "wheel-check: $*" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH "${!CLAIMS_EDIT_@}"

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --require-hashes --only-binary :all: \
    -r "$root/requirements/runtime.txt"
"$work/venv/bin/python" -m pip install --quiet --no-deps --no-index "$wheel"
"$work/venv/bin/python" -m pip check

mkdir "$work/elsewhere"
cp -R "$root/sample_claims" "$work/elsewhere/sample_claims"
cd "$work/elsewhere"

package=$("$work/venv/bin/python" -c 'import pathlib, claims_edit; print(pathlib.Path(claims_edit.__file__).parent)')
case $package in
    "$work/venv/"*) ;;
    *) fail "claims_edit was imported from $package, not from the wheel" ;;
esac
[ -f "$package/py.typed" ] || fail "the wheel lacks claims_edit/py.typed"
diff -r "$root/reference_data" "$package/reference_data" ||
    fail "the wheel's reference data is not that of the project"

"$work/venv/bin/claims-edit" --help >/dev/null
"$work/venv/bin/claims-edit" policy check >/dev/null
"$work/venv/bin/claims-edit" run --config sample_claims/run.toml --out reports

runs=(reports/run_id=*)
[ "${#runs[@]}" -eq 1 ] && [ -d "${runs[0]}" ] || fail "expected one run folder in reports/"
for report in lines.parquet findings.parquet flagged_lines.parquet reconsider.parquet \
    other_versions.parquet partner_lines.parquet rejected_lines.parquet \
    rejected_authorizations.parquet rejected_clinical_facts.parquet manifest.json; do
    [ -s "${runs[0]}/$report" ] || fail "the run did not write $report"
done

"$work/venv/bin/claims-edit" report "${runs[0]}" --workbook
for report in report.html report.xlsx; do
    [ -s "${runs[0]}/$report" ] || fail "the report did not write $report"
done

"$work/venv/bin/claims-edit" review reports --export
[ -s reports/decisions.parquet ] || fail "review did not write decisions.parquet"
for page in queue.html line.html static/review.css static/review.js; do
    [ -s "$package/review/pages/$page" ] || fail "the wheel lacks claims_edit/review/pages/$page"
done
echo "wheel-check: $(basename "$wheel") ran the sample alone and wrote every report"
