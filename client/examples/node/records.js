// The records of an established connection (RFC 8446 §5, RFC 5246 §6.2), protected here with the keys
// that the service released. Enough for one request and its answer: no KeyUpdate.
'use strict';
const crypto = require('node:crypto');

const ALERT = 21, HANDSHAKE = 22, APPLICATION_DATA = 23;
const NEW_SESSION_TICKET = 4;
const CLOSE_NOTIFY = Buffer.from([1, 0]);
const TAG_SIZE = 16;

// TLS 1.3, by cipherSuiteId: AEAD, key length, hash.
const SUITES = {
  0x1301: ['aes-128-gcm', 16, 'sha256'],
  0x1302: ['aes-256-gcm', 32, 'sha384'],
  0x1303: ['chacha20-poly1305', 32, 'sha256'],
};

const uint16 = (value) => Buffer.from([value >> 8, value & 255]);

// RFC 8446 §7.1, with an empty context; the first block of HKDF-Expand is long enough here.
function expandLabel(secret, label, length, hash) {
  const full = Buffer.from('tls13 ' + label);
  const info = [uint16(length), Buffer.from([full.length]), full, Buffer.from([0, 1])];
  return crypto.createHmac(hash, secret).update(Buffer.concat(info)).digest().subarray(0, length);
}

// One direction of a connection's records.
class Direction {
  constructor(cipher, key, iv, sequence) {
    Object.assign(this, { cipher, key, iv, sequence: BigInt(sequence) });
  }

  nextSequence() {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(this.sequence++);
    return bytes;
  }

  // The IV, with the sequence number in its last eight bytes (RFC 8446 §5.3, RFC 7905 §2).
  nonce(sequence) {
    const nonce = Buffer.from(this.iv);
    sequence.forEach((byte, i) => { nonce[i + 4] ^= byte; });
    return nonce;
  }

  encrypt(nonce, text, additional) {
    const cipher = crypto.createCipheriv(this.cipher, this.key, nonce, { authTagLength: TAG_SIZE });
    cipher.setAAD(additional, { plaintextLength: text.length });
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  }

  decrypt(nonce, body, additional) {
    const end = body.length - TAG_SIZE;
    const cipher =
      crypto.createDecipheriv(this.cipher, this.key, nonce, { authTagLength: TAG_SIZE });
    cipher.setAAD(additional, { plaintextLength: end }).setAuthTag(body.subarray(end));
    return Buffer.concat([cipher.update(body.subarray(0, end)), cipher.final()]);
  }
}

class Direction13 extends Direction {
  constructor(suite, secret, sequence) {
    const [cipher, size, hash] = SUITES[suite];
    super(cipher, expandLabel(secret, 'key', size, hash), expandLabel(secret, 'iv', 12, hash),
      sequence);
  }

  seal(type, text) {
    const header = Buffer.concat([Buffer.from([23, 3, 3]), uint16(text.length + 1 + TAG_SIZE)]);
    const inner = Buffer.concat([text, Buffer.from([type])]);
    return Buffer.concat([header, this.encrypt(this.nonce(this.nextSequence()), inner, header)]);
  }

  open(header, body) {
    const inner = this.decrypt(this.nonce(this.nextSequence()), body, header);
    let end = inner.length - 1;
    while (inner[end] === 0) --end;  // the padding
    return [inner[end], inner.subarray(0, end)];
  }
}

// AES-GCM has a nonce of salt and counter, which the record carries; ChaCha20 one as in TLS 1.3.
class Direction12 extends Direction {
  constructor({ key, salt, recSeq }) {
    const gcm = salt.length === 4;
    super(gcm ? `aes-${key.length * 8}-gcm` : 'chacha20-poly1305', key, salt, recSeq);
    this.explicitSize = gcm ? 8 : 0;
  }

  additional(sequence, type, length) {
    return Buffer.concat([sequence, Buffer.from([type, 3, 3]), uint16(length)]);
  }

  seal(type, text) {
    const sequence = this.nextSequence();
    const nonce = this.explicitSize ? Buffer.concat([this.iv, sequence]) : this.nonce(sequence);
    const sealed = this.encrypt(nonce, text, this.additional(sequence, type, text.length));
    const body = Buffer.concat([sequence.subarray(0, this.explicitSize), sealed]);
    return Buffer.concat([Buffer.from([type, 3, 3]), uint16(body.length), body]);
  }

  open(header, record) {
    const sequence = this.nextSequence();
    const body = record.subarray(this.explicitSize);
    const nonce = this.explicitSize ?
      Buffer.concat([this.iv, record.subarray(0, this.explicitSize)]) : this.nonce(sequence);
    const additional = this.additional(sequence, header[0], body.length - TAG_SIZE);
    return [header[0], this.decrypt(nonce, body, additional)];
  }
}

class Connection {
  constructor(peer, established, rest) {
    const { trafficSecrets: secrets, trafficKeys: keys, cipherSuiteId: suite } = established;
    Object.assign(this, { peer, stream: rest, maxFragment: established.maxFragment });
    this.outward = secrets ? new Direction13(suite, secrets.writeSecret, secrets.writeSequence)
      : new Direction12(keys.write);
    this.inward = secrets ? new Direction13(suite, secrets.readSecret, secrets.readSequence)
      : new Direction12(keys.read);
  }

  async take(size) {
    while (this.stream.length < size) {
      const more = await this.peer.read();
      if (!more) throw new Error('the transport ended without close_notify');
      this.stream = Buffer.concat([this.stream, more]);
    }
    const taken = this.stream.subarray(0, size);
    this.stream = this.stream.subarray(size);
    return taken;
  }

  // The next application data.
  async read() {
    for (;;) {
      const header = await this.take(5);
      const [type, text] = this.inward.open(header, await this.take(header.readUInt16BE(3)));
      if (type === APPLICATION_DATA) return text;
      if (type === ALERT) throw new Error(`the peer's alert ${text[1]}`);
      if (type !== HANDSHAKE || text[0] !== NEW_SESSION_TICKET) {
        throw new Error('only tickets are passed over here');
      }
    }
  }

  async readUntil(end) {
    let text = '';
    while (!text.includes(end)) text += await this.read();
    return text;
  }

  write(text) {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += this.maxFragment) {
      const piece = bytes.subarray(at, at + this.maxFragment);
      this.peer.write(this.outward.seal(APPLICATION_DATA, piece));
    }
  }

  close() {
    this.peer.write(this.outward.seal(ALERT, CLOSE_NOTIFY));
    this.peer.end();
  }
}

module.exports = { Connection };
