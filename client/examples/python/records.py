"""The records of an established connection (RFC 8446 §5, RFC 5246 §6.2), protected here with the
keys that the service released. Enough for one request and its answer: no KeyUpdate.
"""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

ALERT, HANDSHAKE, APPLICATION_DATA = 21, 22, 23
NEW_SESSION_TICKET = 4
CLOSE_NOTIFY = b"\x01\x00"
MAX_PLAINTEXT = 16384
TAG_SIZE = 16

# TLS 1.3, by cipher_suite_id: AEAD, key length, hash.
SUITES = {
    0x1301: (AESGCM, 16, hashes.SHA256()),
    0x1302: (AESGCM, 32, hashes.SHA384()),
    0x1303: (ChaCha20Poly1305, 32, hashes.SHA256()),
}


def expand_label(secret, label, length, digest):
    """RFC 8446 §7.1, with an empty context."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
    return HKDFExpand(digest, length, info).derive(secret)


class Direction13:
    """One direction of TLS 1.3."""

    def __init__(self, suite, secret, sequence):
        aead, size, digest = SUITES[suite]
        self.aead = aead(expand_label(secret, b"key", size, digest))
        self.iv = int.from_bytes(expand_label(secret, b"iv", 12, digest), "big")
        self.sequence = sequence

    def nonce(self):
        self.sequence += 1
        return (self.iv ^ (self.sequence - 1)).to_bytes(12, "big")

    def seal(self, content_type, text):
        header = b"\x17\x03\x03" + (len(text) + 1 + TAG_SIZE).to_bytes(2, "big")
        return header + self.aead.encrypt(self.nonce(), text + bytes([content_type]), header)

    def open(self, header, body):
        inner = self.aead.decrypt(self.nonce(), body, header).rstrip(b"\0")  # the padding
        return inner[-1], inner[:-1]


class Direction12:
    """One direction of TLS 1.2: AES-GCM has a nonce of salt and counter, ChaCha20 one as above."""

    def __init__(self, keys):
        self.is_gcm = len(keys.salt) == 4
        self.aead = (AESGCM if self.is_gcm else ChaCha20Poly1305)(keys.key)
        self.salt, self.sequence = keys.salt, keys.rec_seq

    def protect(self, content_type, length, explicit):
        """Nonce and additional data (RFC 5288 §3, RFC 7905 §2)."""
        sequence = self.sequence.to_bytes(8, "big")
        self.sequence += 1
        mask = int.from_bytes(self.salt, "big") ^ int.from_bytes(sequence, "big")
        nonce = self.salt + (explicit or sequence) if self.is_gcm else mask.to_bytes(12, "big")
        return nonce, sequence + bytes([content_type, 3, 3]) + length.to_bytes(2, "big")

    def seal(self, content_type, text):
        nonce, additional = self.protect(content_type, len(text), None)
        body = (nonce[4:] if self.is_gcm else b"") + self.aead.encrypt(nonce, text, additional)
        return bytes([content_type, 3, 3]) + len(body).to_bytes(2, "big") + body

    def open(self, header, body):
        explicit, body = (body[:8], body[8:]) if self.is_gcm else (b"", body)
        nonce, additional = self.protect(header[0], len(body) - TAG_SIZE, explicit)
        return header[0], self.aead.decrypt(nonce, body, additional)


class Connection:
    def __init__(self, peer, established, rest):
        self.peer, self.stream = peer, rest
        if established.HasField("traffic_secrets"):
            keys, suite = established.traffic_secrets, established.cipher_suite_id
            self.outward = Direction13(suite, keys.write_secret, keys.write_sequence)
            self.inward = Direction13(suite, keys.read_secret, keys.read_sequence)
        else:
            keys = established.traffic_keys
            self.outward, self.inward = Direction12(keys.write), Direction12(keys.read)
        self.max_fragment = established.max_fragment

    def take(self, size):
        while len(self.stream) < size:
            more = self.peer.recv(MAX_PLAINTEXT)
            if not more:
                raise EOFError("the transport ended without close_notify")
            self.stream += more
        taken, self.stream = self.stream[:size], self.stream[size:]
        return taken

    def read(self):
        """The next application data."""
        while True:
            header = self.take(5)
            content_type, text = self.inward.open(header, self.take(int.from_bytes(header[3:], "big")))
            if content_type == APPLICATION_DATA:
                return text
            if content_type == ALERT:
                raise EOFError(f"the peer's alert {text[1]}")
            if content_type != HANDSHAKE or text[0] != NEW_SESSION_TICKET:
                raise ValueError("only tickets are passed over here")

    def write(self, text):
        for at in range(0, len(text), self.max_fragment):
            piece = text[at:at + self.max_fragment]
            self.peer.sendall(self.outward.seal(APPLICATION_DATA, piece))

    def close(self):
        self.peer.sendall(self.outward.seal(ALERT, CLOSE_NOTIFY))
