#!/usr/bin/python3
"""A TLS server or client with neither a private key nor a TLS stack: each step of the handshake is
an RPC to Handfast, this program moves bytes. See ../README.md.

    thin.py ENDPOINT serve HOST:PORT                           answer one client, such as curl
    thin.py ENDPOINT fetch HOST:PORT SERVER_NAME [PROFILE]     ask a server for /
"""

import argparse
import socket

import grpc
import records
from handfast.v1 import handshake_pb2 as pb, handshake_pb2_grpc, messages_pb2

READ_SIZE = 16384
PATIENCE_S = 20  # a peer that is silent for longer has gone away


def rpc_of(step):
    """STEP_CLIENT_HELLO is made by the RPC ClientHello, and so on."""
    words = pb.Step.Name(step).removeprefix("STEP_").split("_")
    return "".join(word.capitalize() for word in words)


def take_step(service, candidates, request):
    """Makes the next step. Where the peer may send one message or another, a wrong guess does no
    harm: the service refuses it, and the same bytes go to the next RPC."""
    for rpc in (rpc_of(candidate.step) for candidate in candidates):
        try:
            return rpc, getattr(service, rpc)(request, timeout=PATIENCE_S)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.FAILED_PRECONDITION:
                raise
    raise SystemExit("the service takes none of the steps that it named")


def shake_hands(service, peer, start):
    """One RPC for each message of the handshake. Returns (Established, the peer's first records)."""
    started = service.StartHandshake(pb.StartHandshakeRequest(start=start), timeout=PATIENCE_S)
    request = pb.StepRequest(handshake=started.handshake)
    following = started.next
    while True:
        candidates = sorted(following, key=lambda step: not step.held)
        request.step += 1
        request.from_peer = b""
        if not candidates[0].held:  # a message of the peer's, which is not there yet
            request.from_peer = peer.recv(READ_SIZE)
            request.peer_closed = not request.from_peer
        rpc, reply = take_step(service, candidates, request)
        for message in reply.messages:
            sender = messages_pb2.HandshakeMessage.Sender.Name(message.sender).lower()
            print(f"{reply.step:3} {rpc:20} {sender:8} {message.length} bytes", flush=True)
        peer.sendall(reply.to_peer)  # also the alert of a failure
        if reply.HasField("failure"):
            raise SystemExit(f"the handshake failed: {reply.failure.reason}")
        if reply.HasField("established"):
            print(f"established: {reply.established.cipher_suite}", flush=True)
            return reply.established, reply.unconsumed
        following = reply.next


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def serve(service, where, start):
    """Accepts one connection and answers its request."""
    with socket.create_server(address(where)) as listener:
        print("listening on %s:%d" % listener.getsockname()[:2], flush=True)
        peer = listener.accept()[0]
    with peer:
        peer.settimeout(PATIENCE_S)
        connection = records.Connection(peer, *shake_hands(service, peer, start))
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.read()
        body = b"Hello from Python, which holds no private key.\n"
        connection.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" %
                         (len(body), body))
        connection.close()


def fetch(service, where, start):
    """Asks a server for / and prints the first line of the answer."""
    with socket.create_connection(address(where), PATIENCE_S) as peer:
        connection = records.Connection(peer, *shake_hands(service, peer, start))
        connection.write(b"GET / HTTP/1.0\r\nHost: %b\r\n\r\n" % start.server_name.encode())
        answer = b""
        while b"\r\n" not in answer:
            answer += connection.read()
        print(answer.split(b"\r\n")[0].decode())
        connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint", help="unix:PATH, the socket that handfastd listens on")
    parser.add_argument("action", choices=("serve", "fetch"))
    parser.add_argument("address", help="HOST:PORT")
    parser.add_argument("server_name", nargs="?", help="fetch: the name that the server must prove")
    parser.add_argument("profile", nargs="?", help="one that trusts servers, for fetch")
    given = parser.parse_args()
    start = pb.Start(role=pb.ROLE_SERVER if given.action == "serve" else pb.ROLE_CLIENT,
                     server_name=given.server_name, profile=given.profile,
                     key_release=pb.KEY_RELEASE_ON_ESTABLISHED)
    with grpc.insecure_channel(given.endpoint) as channel:
        service = handshake_pb2_grpc.HandshakeServiceStub(channel)
        {"serve": serve, "fetch": fetch}[given.action](service, given.address, start)


if __name__ == "__main__":
    main()
