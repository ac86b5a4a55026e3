#!/bin/sh
# Schemathesis against the program: thousands of requests made from the OpenAPI document, good and
# bad. Optional: it needs Python and installs schemathesis into target/schemathesis once.
#
#   firmware/bin/webd/tests/schemathesis.sh [arguments of `schemathesis run`]
set -eu

root=$(cd "$(dirname "$0")/../../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
venv=$target/schemathesis
work=$(mktemp -d)
pid=
trap 'if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

if [ ! -x "$venv/bin/schemathesis" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet schemathesis
fi
(cd "$root" && cargo build --quiet -p webd)
"$target/debug/webd" --data "$work/data" --listen 127.0.0.1:0 \
    --redirect-http off --redirect-https off 2> "$work/log" &
pid=$!
url=
for _ in $(seq 100); do
    url=$(sed -n 's|^The administration: \(https://[0-9.:]*\)/admin$|\1|p' "$work/log")
    [ -z "$url" ] || break
    sleep 0.1
done
[ -n "$url" ] || { cat "$work/log" >&2; exit 1; }

ask() {
    curl --silent --show-error --fail --cacert "$work/data/tls/certificate.pem" \
        --header 'Content-Type: application/json' --header 'X-Requested-With: schemathesis' "$@"
}
ask --data '{"password":"correct horse battery"}' "$url/api/v1/first-visit"
ask --data '{"name":"Admin","password":"correct horse battery"}' --cookie-jar "$work/jar" \
    --output /dev/null "$url/api/v1/session"
cookie=$(awk '$6 == "__Host-session" { print $6 "=" $7 }' "$work/jar")
for number in 100 101; do
    ask --cookie "$cookie" --output /dev/null --data "{\"number\":\"$number\"}" \
        "$url/api/v1/extensions"
done

# Left out: what would log the tester out or end everybody's sessions, and what never ends. The
# exchange isn't there, so what asks it answers 503, as documented.
cat > "$work/schemathesis.toml" <<'TOML'
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "404", "409", "412", "429", "503"]
[checks.negative_data_rejection]
expected-statuses = ["400", "403", "404", "405", "409", "412", "415", "422", "428", "503"]
[checks.missing_required_header]
expected-statuses = ["400", "415", "422", "428"]
# A schema can't say which passwords are too common.
[[operations]]
include-operation-id = ["add_user", "set_user_password"]
checks.positive_data_acceptance.enabled = false
TOML
"$venv/bin/schemathesis" --config-file "$work/schemathesis.toml" run "$url/api/v1/openapi.json" \
    --tls-verify "$work/data/tls/certificate.pem" \
    --header "Cookie: $cookie" --header 'X-Requested-With: schemathesis' \
    --exclude-operation-id log_out --exclude-operation-id log_in \
    --exclude-operation-id listen --exclude-operation-id set_own_password \
    --generation-with-security-parameters false --max-examples 60 --continue-on-failure "$@"
kill -0 "$pid" || { echo 'webd has ended' >&2; cat "$work/log" >&2; exit 1; }
if grep -E 'panicked|ERROR' "$work/log" >&2; then exit 1; fi
