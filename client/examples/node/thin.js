#!/usr/bin/env node
// A TLS server or client with neither a private key nor a TLS stack: each step of the handshake is
// an RPC to Handfast, this program moves bytes. See ../README.md.
//
//     thin.js ENDPOINT serve HOST:PORT                           answer one client, such as curl
//     thin.js ENDPOINT fetch HOST:PORT SERVER_NAME [PROFILE]     ask a server for /
'use strict';
const net = require('node:net');
const path = require('node:path');
const util = require('node:util');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { Connection } = require('./records.js');

const PATIENCE_MS = 20000;  // a peer that is silent for longer has gone away

// The contract is read as it stands; fields are in camelCase here, enums by their names.
function connectTo(endpoint) {
  const root = process.env.HANDFAST_PROTO || path.join(__dirname, '../../../proto');
  const definition = loader.loadSync('handfast/v1/handshake.proto',
    { includeDirs: [root], enums: String, longs: Number, defaults: true, oneofs: true });
  const { HandshakeService } = grpc.loadPackageDefinition(definition).handfast.v1;
  const service = new HandshakeService(endpoint, grpc.credentials.createInsecure());
  // (rpc, request) => the reply, or a rejection that has the status's code.
  const call = (rpc, request) => util.promisify(service[rpc]).call(
    service, request, new grpc.Metadata(), { deadline: Date.now() + PATIENCE_MS });
  return { call, close: () => service.close() };
}

// STEP_CLIENT_HELLO is made by the RPC ClientHello, and so on.
const rpcOf = (step) => step.replace('STEP_', '').split('_')
  .map((word) => word[0] + word.slice(1).toLowerCase()).join('');

// Makes the next step. Where the peer may send one message or another, a wrong guess does no harm:
// the service refuses it, and the same bytes go to the next RPC.
async function takeStep(call, candidates, request) {
  for (const rpc of candidates.map((candidate) => rpcOf(candidate.step))) {
    try {
      return { rpc, reply: await call(rpc, request) };
    } catch (error) {
      if (error.code !== grpc.status.FAILED_PRECONDITION) throw error;
    }
  }
  throw new Error('the service takes none of the steps that it named');
}

// One RPC for each message of the handshake.
async function shakeHands(call, peer, start) {
  const { handshake, next: first } = await call('StartHandshake', { start });
  for (let step = 1, next = first; ; ++step) {
    const candidates = [...next].sort((a, b) => b.held - a.held);
    const request = { handshake, step };
    if (!candidates[0].held) {  // a message of the peer's, which is not there yet
      request.fromPeer = await peer.read();
      request.peerClosed = !request.fromPeer;
    }
    const { rpc, reply } = await takeStep(call, candidates, request);
    for (const { sender, length } of reply.messages) {
      console.log(`${step} ${rpc} ${sender.toLowerCase()} ${length} bytes`);
    }
    peer.write(reply.toPeer);  // also the alert of a failure
    if (reply.failure) throw new Error(`the handshake failed: ${reply.failure.reason}`);
    if (reply.established) {
      console.log(`established: ${reply.established.cipherSuite}`);
      return new Connection(peer, reply.established, reply.unconsumed);
    }
    next = reply.next;
  }
}

// A socket to read from when it suits; undefined at the end.
function peerOf(socket) {
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('the peer is silent')));
  const chunks = socket[Symbol.asyncIterator]();
  return {
    read: async () => (await chunks.next()).value,
    write: (bytes) => socket.write(bytes),
    end: () => socket.destroySoon(),  // after what was written
  };
}

async function serve(call, host, port, start) {
  const listener = net.createServer({ allowHalfOpen: true }).listen(port, host, () =>
    console.log(`listening on ${host}:${listener.address().port}`));
  const socket = await new Promise((resolve) => listener.once('connection', resolve));
  listener.close();
  const connection = await shakeHands(call, peerOf(socket), start);
  await connection.readUntil('\r\n\r\n');
  const body = 'Hello from Node, which holds no private key.\n';
  connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\n' +
    `Content-Length: ${body.length}\r\n\r\n${body}`);
  connection.close();
}

async function fetch(call, host, port, start) {
  const connection = await shakeHands(call, peerOf(net.connect(port, host)), start);
  connection.write(`GET / HTTP/1.0\r\nHost: ${start.serverName}\r\n\r\n`);
  console.log((await connection.readUntil('\r\n')).split('\r\n')[0]);
  connection.close();
}

async function main(endpoint, action, address, serverName, profile) {
  if (!['serve', 'fetch'].includes(action)) throw new Error('see the head of this file');
  const [, host, port] = address.match(/^(.*):(\d+)$/);
  const service = connectTo(endpoint);
  const role = action === 'serve' ? 'ROLE_SERVER' : 'ROLE_CLIENT';
  const start = { role, serverName, profile, keyRelease: 'KEY_RELEASE_ON_ESTABLISHED' };
  await { serve, fetch }[action](service.call, host, Number(port), start);
  service.close();
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
