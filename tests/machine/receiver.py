"""Who is told something by the service, and prints where it is. As a receiver of webhooks it takes nothing: what waits for it
may be asked for again at once. As Kannel it takes every SMS, and hands the last one to a number out again."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


MESSAGES = {}


class Told(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if number := self.headers["X-Kannel-To"]:
            MESSAGES[number] = body
            self.answer(202, b"0: Accepted for delivery")
        else:
            self.answer(503)

    def do_GET(self):
        self.answer(200, MESSAGES.pop("+" + self.path.rsplit("/", 1)[1], b""))

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nobody reads it."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Told)
print(f"http://127.0.0.1:{server.server_port}/hooks", flush=True)
server.serve_forever()
