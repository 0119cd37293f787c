"""A real HTTP server of a folder, on a free port, that can be made to misbehave."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Server(ThreadingHTTPServer):
    """Serves `folder`; files named in `cut` break off in the middle, those in `missing` are 404, all when `broken`.

    Those in `answers` are left to a function that is given the request.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        self.cut, self.missing, self.broken = set[str](), set[str](), False
        self.answers: dict[str, Callable[[Quiet], None]] = {}
        self.asked: list[str] = []  # names, in the order they were asked for

    @property
    def uri(self) -> str:
        """Of the folder."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Quiet(SimpleHTTPRequestHandler):
    """Without its log."""

    server: Server

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self.server.asked.append(name)
        if name in self.server.answers:
            self.close_connection = True
            self.server.answers[name](self)
        elif self.server.broken:
            self.send_error(503)
        elif name in self.server.missing:
            self.send_error(404)
        elif name in self.server.cut:
            whole = Path(self.translate_path(self.path)).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole[: len(whole) // 2])
            self.close_connection = True
        else:
            super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """The server, running."""
    with Server(folder) as server:
        thread = threading.Thread(target=partial(server.serve_forever, 0.01), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
