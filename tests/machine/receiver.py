"""A receiver of webhooks that prints where it is and takes nothing: what waits for it may be asked for again at once."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Busy(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Nobody reads it."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
print(f"http://127.0.0.1:{server.server_port}/hooks", flush=True)
server.serve_forever()
