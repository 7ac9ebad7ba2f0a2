#!/usr/bin/env python3
"""A worker in another language: joins a coordinator, does what it can, and goes.

It is written from docs/protocol.md and the two schemas alone. It computes probes, fetches the files
that other jobs read and checks their digests, and hands those jobs back: what they compute takes
Fathom's own kernels, without which bits would not be equal.

    pip install pyzmq protobuf
    protoc -I Sources/Protocol/Messages --python_out=. fathom.proto artifacts.proto
    python join.py tcp://127.0.0.1:5555 --server-key KEY --key worker.key --numeric-class CLASS

`fathom doctor` tells the numeric class of a machine. One line of JSON says what it has seen.
"""

import argparse
import hashlib
import json
import os
import pathlib
import sys
import time

import zmq

sys.path.insert(0, os.getcwd())
import artifacts_pb2 as files
import fathom_pb2 as wire

VERSION = 2
PIECE = 1 << 20


def dealer(context, endpoint, name, keys, server_key):
    """A DEALER with CURVE, as the section "Sockets" says."""
    socket = context.socket(zmq.DEALER)
    socket.routing_id = name.encode()
    socket.curve_secretkey, socket.curve_publickey = keys
    socket.curve_serverkey = server_key
    socket.linger = 1000
    socket.connect(endpoint)
    return socket


def column(values, place):
    """A column with one value holds for all."""
    return values[0] if len(values) == 1 else values[place]


def leases_of(columns):
    """The rows of a `Leases` message."""
    count = len(columns.jobs) // 32
    return [
        (
            columns.jobs[32 * i : 32 * i + 32],
            column(columns.attempts, i),
            column(columns.terms, i),
            column(columns.first_entries, i),
            column(columns.end_entries, i),
        )
        for i in range(count)
    ]


def columns_of(leases):
    """The other way round; nobody has to write equal columns short."""
    return wire.Leases(
        jobs=b"".join(lease[0] for lease in leases),
        attempts=[lease[1] for lease in leases],
        terms=[lease[2] for lease in leases],
        first_entries=[lease[3] for lease in leases],
        end_entries=[lease[4] for lease in leases],
    )


class Worker:
    def __init__(self, arguments):
        self.arguments = arguments
        self.name = os.urandom(16).hex()
        secret = pathlib.Path(arguments.key).read_text().strip().encode()
        self.keys = (secret, zmq.curve_public(secret))
        self.context = zmq.Context()
        self.server_key = arguments.server_key.encode()
        self.work = dealer(self.context, arguments.endpoint, self.name, self.keys, self.server_key)
        self.files = None
        self.seen = {"welcome": 0, "assigned": 0, "computed": 0, "fetched": 0, "returned": 0}
        self.unacknowledged = {}
        self.is_sent_home = False

    def say(self, **item):
        envelope = wire.WorkerEnvelope(version=VERSION, worker=self.name)
        envelope.items.append(wire.WorkerItem(**item))
        self.work.send(envelope.SerializeToString())

    def hear(self, milliseconds):
        if not self.work.poll(milliseconds):
            return []
        envelope = wire.CoordinatorEnvelope.FromString(self.work.recv())
        assert envelope.version == VERSION, envelope.version
        return list(envelope.items)

    def hello(self):
        self.say(
            hello=wire.Hello(
                protocol_min=VERSION, protocol_max=VERSION, host="elsewhere",
                process_id=os.getpid(), slots=1, build=self.arguments.build,
                numeric_class=self.arguments.numeric_class, held=columns_of([]),
                unacknowledged=columns_of(sorted(self.unacknowledged)),
            )
        )

    def run(self):
        end = time.monotonic() + self.arguments.seconds
        said = 0.0
        while time.monotonic() < end and not (self.seen["fetched"] or self.seen["computed"]):
            if self.is_sent_home:
                break
            if time.monotonic() - said > 3 and not self.seen["welcome"]:
                self.hello()
                said = time.monotonic()
            for item in self.hear(100):
                self.take(item)
        while time.monotonic() < end and self.unacknowledged:
            for item in self.hear(100):
                self.take(item)
        self.say(goodbye=wire.Goodbye())
        self.work.close()
        print(json.dumps(self.seen))
        return 0 if self.seen["welcome"] else 1

    def take(self, item):
        kind = item.WhichOneof("kind")
        if kind == "refused":
            sys.exit("refused: " + item.refused.reason)
        elif kind == "welcome":
            self.seen["welcome"] = 1
            if item.welcome.artifact_port and self.files is None:
                host = self.arguments.endpoint.rsplit(":", 1)[0]
                self.files = dealer(
                    self.context, f"{host}:{item.welcome.artifact_port}", self.name, self.keys,
                    self.server_key)
        elif kind == "register_again":
            self.seen["welcome"] = 0
        elif kind == "drain":
            self.is_sent_home = True
        elif kind == "assignments":
            self.work_on(item.assignments)
        elif kind == "acknowledge":
            for lease in leases_of(item.acknowledge.leases):
                self.unacknowledged.pop(lease, None)

    def work_on(self, assignments):
        next_input = 0
        for place, lease in enumerate(leases_of(assignments.leases)):
            self.seen["assigned"] += 1
            count = column(assignments.input_counts, place)
            places = assignments.input_places[next_input : next_input + count]
            next_input += count
            self.say(heartbeat=wire.Heartbeat(leases=columns_of([lease]), shares=[0.0]))
            spec = wire.Spec.FromString(assignments.specs[column(assignments.spec_places, place)])
            if spec.WhichOneof("body") == "probe":
                self.answer_probe(lease, spec.probe)
                continue
            # The key of a job is the digest of what it computes.
            assert hashlib.sha256(spec.canonical).digest() == lease[0]
            for artifact in [assignments.inputs[i].artifact for i in places]:
                content = self.fetch(artifact)
                assert hashlib.sha256(content).digest() == artifact.digest
                self.seen["fetched"] += 1
            self.say(hand_back=wire.HandBack(leases=columns_of([lease])))
            self.seen["returned"] += 1
            time.sleep(0.1)  # It may come back at once: others are to have their turn.

    def answer_probe(self, lease, probe):
        table = wire.MetricTable(
            words=["probe", "test", "number"], epochs=[1], tasks=[0], splits=[1], names=[2],
            values=[float(probe.number)], flags=[0], missing=[0])
        self.unacknowledged[lease] = True
        self.say(
            results=wire.Results(
                leases=columns_of([lease]), seconds=[1e-6], metric_counts=[1], metrics=table))
        self.seen["computed"] += 1

    def fetch(self, artifact):
        """One piece after the other; a question without an answer is asked again."""
        content = b""
        while len(content) < artifact.bytes:
            question = files.ArtifactQuestionEnvelope(version=VERSION)
            question.fetch.digest = artifact.digest
            question.fetch.offset = len(content)
            question.fetch.bytes = min(PIECE, artifact.bytes - len(content))
            self.files.send(question.SerializeToString())
            if not self.files.poll(3000):
                continue
            answer = files.ArtifactAnswerEnvelope.FromString(self.files.recv())
            assert answer.version == VERSION
            assert answer.WhichOneof("kind") == "piece", answer
            if answer.piece.offset == len(content):
                content += answer.piece.content
        return content


parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("endpoint")
parser.add_argument("--server-key", required=True)
parser.add_argument("--key", required=True)
parser.add_argument("--build", default="0.1.0")
parser.add_argument("--numeric-class", required=True)
parser.add_argument("--seconds", type=float, default=60)
sys.exit(Worker(parser.parse_args()).run())
