"""Third parties' fuzzing corpora, laid out as the targets of this folder read them.

They are read from the folder of vectors and never kept in the tree. A folder that lacks them gives
fewer seeds.
"""

import base64
import json
import pathlib

RECORD_HEADER = 5
HANDSHAKE = 22
ALERT = 21
ALERT_SELECTOR = b"\x7f"  # as in message.cc
TLS13_FORM = 0x80
TWO_FORMS = (11, 13)  # Certificate and CertificateRequest

# Botan's vectors of extension bodies: the ExtensionType, and whose message it stands in.
BOTAN_EXTENSIONS = {
    "alpn": (16, 0),
    "cookie": (44, 0),
    "key_share_CH": (51, 0),
    "key_share_HRR": (51, 2),
    "key_share_SH": (51, 1),
    "signature_algorithms_cert": (13, 0),
    "supported_groups": (10, 0),
    "supported_versions": (43, 0),
}


def _corpus(folder, name):
    path = pathlib.Path(folder) / "corpora" / name
    if not path.is_file():
        return []
    with open(path, encoding="utf-8") as lines:
        objects = [json.loads(line) for line in lines]
    return [base64.b64decode(item["b64"]) for item in objects if "b64" in item]


def _messages(folder):
    """Whole handshake messages, cut out of rustls's records."""
    for record in _corpus(folder, "rustls_messages.jsonl"):
        if len(record) > RECORD_HEADER + 4 and record[0] == HANDSHAKE:
            yield record[RECORD_HEADER:]


def _client_hello(folder):
    yield from _corpus(folder, "s2n_client_hello.jsonl")
    yield from (message[4:] for message in _messages(folder) if message[0] == 1)


def _message(folder):
    for message in _messages(folder):
        yield message[:1] + message[4:]
        if message[0] in TWO_FORMS:
            yield bytes([message[0] | TLS13_FORM]) + message[4:]
    for record in _corpus(folder, "rustls_messages.jsonl"):
        if len(record) > RECORD_HEADER and record[0] == ALERT:
            yield ALERT_SELECTOR + record[RECORD_HEADER:]


def _extension(folder):
    for name, (kind, place) in BOTAN_EXTENSIONS.items():
        path = pathlib.Path(folder) / "botan/tls_extensions/parsing" / f"{name}.vec"
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                field, _, value = line.partition("=")
                if field.strip() == "Buffer":
                    yield kind.to_bytes(2, "big") + bytes([place]) + bytes.fromhex(value.strip())


def _deframer(folder):
    for name in ("rustls_messages.jsonl", "s2n_server_streams.jsonl"):
        yield from (b"\x01" + stream for stream in _corpus(folder, name))


def _reassembly(folder):
    yield from (b"\x00\x20" + message for message in _messages(folder))


def _connection(folder):
    for stream in _corpus(folder, "s2n_server_streams.jsonl"):
        yield b"\x00\x80\x00" + stream


SEEDS = {
    "client_hello": _client_hello,
    "connection": _connection,
    "deframer": _deframer,
    "extension": _extension,
    "message": _message,
    "reassembly": _reassembly,
}


def write_seeds(target, folder, into, most=None):
    """Writes the target's seeds, a file each and at most so many; returns how many there are."""
    into = pathlib.Path(into)
    into.mkdir(parents=True, exist_ok=True)
    count = 0
    for seed in SEEDS.get(target, lambda _: ())(folder):
        if most is not None and count == most:
            break
        (into / f"{count:05}").write_bytes(seed)
        count += 1
    return count
