"""A server in a thread that downloads come from."""

import hashlib
import http.server
import threading

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serve CONTENT at every path but those with "missing" in them; tests set what goes wrong.

    requests: the ranges that were asked for; paths: where.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.host = f"http://127.0.0.1:{self.server_port}"
        self.url = f"{self.host}/model.pt"
        self.knows_range = True
        self.cut_after = None
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.requests, self.paths = [], []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.send_header("ETag", f'"{SHA256}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.requests.append(wanted)
        self.server.paths.append(self.path)
        if "missing" in self.path:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.knows_range else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start : self.server.cut_after]
        self.wfile.write(body[:100])
        self.server.begun.set()
        self.server.go_on.wait()
        self.wfile.write(body[100:])

    def log_message(self, *args):
        pass
