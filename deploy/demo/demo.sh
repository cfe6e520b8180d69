#!/usr/bin/env bash
# Shows the main job on real traffic: curl speaks TLS 1.3, then TLS 1.2, to an edge that holds no
# private key. Usage: demo.sh BIN_DIR, where BIN_DIR has server/handfastd, client/cli/handfast and
# client/edge/handfast-edge. Everything runs in a temporary folder, on loopback, on free ports.
set -euo pipefail

readonly BIN=${1:?usage: demo.sh BIN_DIR}
readonly HANDFASTD=$BIN/server/handfastd
readonly HANDFAST=$BIN/client/cli/handfast
readonly EDGE=$BIN/client/edge/handfast-edge
readonly NAME=demo.handfast.test
readonly BODY="Hello from a backend that never saw TLS."
# Everything starts in well under a second; a loaded machine gets more.
readonly PATIENCE_TENTHS=200

FOLDER=$(mktemp -d /tmp/handfast-demo.XXXXXX)
PIDS=()

stop_all() {
  local pid
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${PIDS[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$FOLDER"
}
trap stop_all EXIT

heading() { printf '\n== %s\n' "$*"; }

# A command, as it is run here, with its path left out.
shown() {
  printf '$ %s\n' "${*//$FOLDER\//}"
}

fail() {
  printf '\nFAILED: %s\n' "$*" >&2
  local log
  for log in "$FOLDER"/*.log; do
    [[ -s $log ]] && { printf -- '--- %s\n' "$(basename "$log")" >&2; tail -n 20 "$log" >&2; }
  done
  exit 1
}

# wait_for WORDS COMMAND...: until the command succeeds.
wait_for() {
  local what=$1 i
  shift
  for ((i = 0; i < PATIENCE_TENTHS; ++i)); do
    if "$@" >/dev/null 2>&1; then return; fi
    kill -0 "${PIDS[-1]}" 2>/dev/null || fail "$what ended at once"
    sleep 0.1
  done
  fail "$what did not come up"
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

for program in curl openssl python3 "$HANDFASTD" "$HANDFAST" "$EDGE"; do
  command -v "$program" >/dev/null || fail "$program is missing"
done
cd "$FOLDER"

# ---------------------------------------------------------------------------------------------
heading "The service: it alone holds private keys"
export HANDFAST_STATE_DIR=$FOLDER/state
mkdir -m 0700 "$HANDFAST_STATE_DIR"
shown handfastd
METRICS_PORT=$(free_port)
"$HANDFASTD" --set "admin.address=127.0.0.1:$METRICS_PORT" --ready-file "$FOLDER/ready.json" 2>handfastd.log &
PIDS+=($!)
wait_for handfastd test -s "$FOLDER/ready.json"
"$HANDFAST" health

heading "A key, born inside; a throw-away authority signs its certificate"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
  -days 2 -subj "/CN=Handfast demo authority" 2>/dev/null
shown handfast keys create --id demo --type ecdsa-p256
"$HANDFAST" keys create --id demo --type ecdsa-p256
shown handfast credentials create --id demo --key demo --dns "$NAME" --csr-only
"$HANDFAST" credentials create --id demo --key demo --dns "$NAME" --csr-only >demo.csr
printf 'subjectAltName=DNS:%s\n' "$NAME" >leaf.ext
openssl x509 -req -in demo.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 \
  -extfile leaf.ext -out demo.pem 2>/dev/null
shown handfast credentials set-chain demo --chain-file demo.pem
"$HANDFAST" credentials set-chain demo --chain-file demo.pem >/dev/null
shown handfast credentials activate demo
"$HANDFAST" credentials activate demo

# ---------------------------------------------------------------------------------------------
heading "A plain HTTP backend, and the edge in front of it"
cat >backend.py <<'PYTHON'
import http.server
import sys

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (sys.argv[1] + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
print(server.server_address[1], flush=True)
server.serve_forever()
PYTHON
python3 backend.py "$BODY" >backend.port 2>backend.log &
PIDS+=($!)
wait_for "the backend" test -s backend.port
shown handfast-edge --listen 127.0.0.1:0 --backend "127.0.0.1:$(cat backend.port)" --trace
"$EDGE" --listen 127.0.0.1:0 --backend "127.0.0.1:$(cat backend.port)" --trace \
  --log-format json >edge.ladder 2>edge.log &
EDGE_PID=$!
PIDS+=("$EDGE_PID")
wait_for handfast-edge grep -q '"serving"' edge.log
ADDRESS=$(sed -n 's/.*"serving".*"listen":"\([^"]*\)".*/\1/p' edge.log)
printf 'listening on %s\n' "$ADDRESS"

heading "The edge has no private key"
printf 'arguments of the edge that name a key or certificate: '
keys=$(tr '\0' '\n' <"/proc/$EDGE_PID/cmdline" | grep -ciE -- '--tls-|\.(pem|key)$' || true)
printf '%s\n' "$keys"
[[ $keys -eq 0 ]] || fail "the edge was given key material"
printf 'private keys in the demo folder: '
grep -lE 'BEGIN ([A-Z]+ )?PRIVATE KEY' "$FOLDER"/* "$HANDFAST_STATE_DIR"/* 2>/dev/null |
  sed "s#$FOLDER/##" | tr '\n' ' ' || true
printf "(the authority's own; the served key lies sealed in state/custody.db)\n"
grep -lqE 'BEGIN ([A-Z]+ )?PRIVATE KEY' "$HANDFAST_STATE_DIR"/* 2>/dev/null &&
  fail "custody holds a key in the clear"

# ---------------------------------------------------------------------------------------------
# fetch VERSION OPTION...: one request, verified against the authority, and its ladder.
fetch() {
  local version=$1 body before
  shift
  heading "curl over $version"
  shown curl "$@" --cacert ca.pem --resolve "$NAME:..." "https://$NAME/"
  before=$(wc -l <edge.ladder)
  body=$(curl --silent --show-error --max-time 20 "$@" --cacert ca.pem \
    --resolve "$NAME:${ADDRESS##*:}:${ADDRESS%:*}" "https://$NAME:${ADDRESS##*:}/") ||
    fail "curl over $version"
  printf '%s\n\n' "$body"
  [[ $body == "$BODY" ]] || fail "the body is not the backend's"
  tail -n "+$((before + 1))" edge.ladder
  tail -n "+$((before + 1))" edge.ladder | grep -q "= established: $version" ||
    fail "the ladder shows no $version handshake"
}

fetch TLSv1.3 --tlsv1.3
fetch TLSv1.2 --tls-max 1.2

heading "The same handshakes in the service's metrics"
curl --silent --show-error --max-time 10 "http://127.0.0.1:$METRICS_PORT/metrics" >metrics.txt
grep '^handfast_handshakes_total' metrics.txt || fail "the counter is missing"
total=$(awk '/^handfast_handshakes_total/ { sum += $NF } END { print sum }' metrics.txt)
[[ $total -eq 2 ]] || fail "the counters say $total handshakes, not 2"

printf '\nDone: two handshakes, no private key outside the service.\n'
