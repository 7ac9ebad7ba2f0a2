"""A sweep with real processes, as on a cluster: coordinator, worker and dashboard, and visitors of
the dashboard, so that checks and timings can look at a sweep while it runs.

    with LiveSweep(fathom, manifest, folder) as sweep:
        sweep.start_worker()
        viewers = [Viewer(sweep.port) for _ in range(16)]
"""
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

SECONDS_TO_START = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LiveSweep:
    """A coordinator with a dashboard, and workers; all end with the `with` block.

    Ports stay the same when the coordinator is started again, as they would on a machine.
    """

    def __init__(self, fathom, manifest, folder):
        self.fathom = os.path.abspath(fathom)
        self.manifest = os.path.abspath(manifest)
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = str(self.folder / "live.sqlite")
        self.jobs_port, self.files_port, self.port = free_port(), free_port(), free_port()
        self.coordinator = None
        self.workers = []
        self.token = None
        self.server_key = self._make_key("server")
        worker_key = self._make_key("worker")
        self._run("keys", "allow", self._path("allowed"), worker_key)

    def __enter__(self):
        self.start_coordinator()
        return self

    def __exit__(self, *_):
        for process in [*self.workers, self.coordinator]:
            if process and process.poll() is None:
                process.kill()
                process.wait()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}/"

    def start_coordinator(self):
        """Returns once the dashboard listens."""
        log = self.folder / f"coordinator-{time.monotonic_ns()}.log"
        self.coordinator = self._start(
            log, "coordinator", self.manifest, "--db", self.store, "--key", self._path("server"),
            "--allow", self._path("allowed"), "--listen", f"tcp://127.0.0.1:{self.jobs_port}",
            "--listen-files", f"tcp://127.0.0.1:{self.files_port}",
            "--dashboard", f"127.0.0.1:{self.port}")
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end and self.coordinator.poll() is None:
            token = re.search(r"dashboard token[^:]*: ([0-9a-f]{48})\n", log.read_text())
            if token:
                self.token = token[1]
                return
            time.sleep(0.02)
        raise SystemExit(f"live_sweep: the coordinator did not start: {log.read_text()[-2000:]}")

    def kill_coordinator(self):
        self.coordinator.kill()
        self.coordinator.wait()

    def start_worker(self, slots=2):
        number = len(self.workers) + 1
        self.workers.append(self._start(
            self.folder / f"worker-{number}.log", "worker",
            "--connect", f"tcp://127.0.0.1:{self.jobs_port}", "--server-key", self.server_key,
            "--key", self._path("worker"), "--slots", str(slots),
            "--work", self._path(f"work-{number}"), "--cache-bytes", "500M"))

    def query(self, sql):
        answer = self._run("query", self.store, sql, "--format", "json")
        return json.loads(answer)

    def _path(self, name):
        return str(self.folder / name)

    def _make_key(self, name):
        """The public key of a new pair."""
        if os.path.exists(self._path(name)):
            os.remove(self._path(name))
        return self._run("keys", "new", self._path(name)).strip().split()[-1]

    def _run(self, *arguments):
        return subprocess.run(
            [self.fathom, *arguments], check=True, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, cwd=self.folder).stdout

    def _start(self, log, *arguments):
        with log.open("w") as file:
            return subprocess.Popen(
                [self.fathom, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=file, cwd=self.folder)


class Viewer:
    """One live page, without a browser: reads the events and connects again as browsers do."""

    def __init__(self, port):
        self.port = port
        # What came: when, what kind of event, and how many bytes.
        self.events = []
        # When connections began to give events.
        self.connected = []
        self._is_closed = False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self):
        self._is_closed = True
        self._thread.join(timeout=15)

    def _watch(self):
        while not self._is_closed:
            try:
                self._read()
            except (OSError, http.client.HTTPException):
                pass
            if not self._is_closed:
                # As the dashboard asks of browsers.
                time.sleep(2)

    def _read(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/api/events")
            answer = connection.getresponse()
            if answer.status != 200:
                return
            self.connected.append(time.monotonic())
            kind, size, has_data = "message", 0, False
            while not self._is_closed:
                line = answer.readline()
                if not line:
                    return
                size += len(line)
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    kind = text[7:]
                elif text.startswith("data: "):
                    has_data = True
                elif text == "":
                    if has_data:
                        self.events.append((time.monotonic(), kind, size))
                    kind, size, has_data = "message", 0, False
        finally:
            connection.close()


def ask(port, path):
    """One request on a connection of its own: seconds, status, bytes."""
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        size = len(answer.read())
        return time.monotonic() - start, answer.status, size
    finally:
        connection.close()
