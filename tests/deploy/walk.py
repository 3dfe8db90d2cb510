"""Customers before the proxy: they walk the story through TLS while replicas die, and say what they were answered."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import ssl
import struct
import subprocess
import threading
import time
import urllib.request
import uuid

PROXY = os.environ["PROXY_LISTEN"]
FOLDER = os.environ["WALK_FOLDER"]
PASSWORD = os.environ["WALK_PASSWORD"]
CUSTOMER = "127.0.0.2"
TLS = ssl.create_default_context(cafile=f"{FOLDER}/authority.pem")


class Browser:
    """One customer's connection, which is made again when it was closed."""

    def __init__(self, token=None):
        host, port = PROXY.split(":")
        self.http = http.client.HTTPSConnection(host, int(port), timeout=30, context=TLS, source_address=(CUSTOMER, 0))
        self.token = token

    def send(self, method, path, body=None, **headers):
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        self.http.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = self.http.getresponse()
        return answer, json.loads(answer.read() or b"null")

    def asks(self, method, path, body=None, status=200, **headers):
        answer, told = self.send(method, path, body, **headers)
        assert answer.status == status, (method, path, answer.status, told)
        return told

    def signs_in(self, email):
        told = self.asks("POST", "/auth/login", {"email": email, "password": PASSWORD})
        if told["result"] == "signed_in":
            self.token = told["tokens"]["access_token"]
        return told


def code(secret, steps):
    """RFC 6238, so many steps from now."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


def walk():
    alice = Browser()
    alice.signs_in("alice@example.test")
    started = alice.asks("POST", "/account/security/2fa/totp", {"password": PASSWORD}, 201)
    path = f"/account/security/2fa/totp/{started['id']}/confirm"
    alice.token = alice.asks("POST", path, {"code": code(started["secret"], 0)})["tokens"]["access_token"]
    assert alice.asks("GET", "/account/security/2fa")["enabled"]
    challenge = alice.signs_in("alice@example.test")["challenge"]
    second = {"challenge": challenge, "code": code(started["secret"], 1)}
    alice.token = alice.asks("POST", "/auth/login/second-factor", second)["tokens"]["access_token"]
    sessions = alice.asks("GET", "/account/security/sessions", X_Forwarded_For="203.0.113.9")["sessions"]
    assert {session["ip"] for session in sessions} == {CUSTOMER}, sessions
    done = alice.asks("POST", "/account/security/2fa/disable", {"password": PASSWORD}, X_Forwarded_For="203.0.113.9")
    alice.token = done["tokens"]["access_token"]
    events = alice.asks("GET", "/account/security/events")["events"]
    assert events[0]["type"] == "two_factor.disabled" and {event["ip"] for event in events} == {CUSTOMER}, events
    assert alice.signs_in("alice@example.test")["result"] == "signed_in"
    print(f"alice signed in, set up, and disabled, from {CUSTOMER}")


def headers():
    answer, _ = Browser().send("GET", "/problems", X_Request_Id="a-name")
    assert answer.getheader("X-Request-Id") == "a-name"
    assert answer.getheader("Strict-Transport-Security") == "max-age=63072000"
    plain = http.client.HTTPConnection(*os.environ["PROXY_PLAIN"].split(":"))
    plain.request("GET", "/problems?page=2")
    answer = plain.getresponse()
    assert (answer.status, answer.getheader("Location")) == (308, f"https://{PROXY}/problems?page=2")
    print("plain HTTP is sent to TLS")


class Crowd:
    """Customers who ask all the time: reads, and changes under a key."""

    def __init__(self, token):
        self.failed, self.answered, self.ends = [], {"GET": 0, "POST": 0}, False
        self.threads = [threading.Thread(target=self.ask, args=(token, n)) for n in range(8)]
        for thread in self.threads:
            thread.start()

    def ask(self, token, number):
        browser, turn = Browser(token), 0
        while not self.ends:
            turn += 1
            method, path = "GET", "/account/security/2fa"
            key = {}
            if (turn + number) % 4 == 0:
                method, path = "POST", "/account/security/sessions/end-others"
                key = {"Idempotency_Key": str(uuid.uuid4())}
            try:
                answer, told = browser.send(method, path, **key)
                if answer.status != 200:
                    self.failed.append((method, answer.status, told))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append((method, repr(error)))
                browser.http.close()
            self.answered[method] += 1

    def leaves(self):
        self.ends = True
        for thread in self.threads:
            thread.join()
        assert not self.failed, (len(self.failed), self.failed[:5])
        assert min(self.answered.values()) > 50, self.answered
        return f"{self.answered['GET']} reads and {self.answered['POST']} changes"


def served(number):
    """How many requests a replica has answered."""
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ[f'OPS_{number}']}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("twofold_http_requests_total"))


def start(number):
    """Starts a replica again, where it was, and waits until the proxy sends it requests."""
    environment = os.environ | {
        "TWOFOLD_LISTEN": os.environ[f"REPLICA_{number}"],
        "TWOFOLD_OPS_LISTEN": f"127.0.0.1:{os.environ[f'OPS_{number}']}",
    }
    child = subprocess.Popen([os.environ["WALK_BINARY"], "serve"], env=environment, stdout=subprocess.DEVNULL)
    browser, deadline = Browser(), time.monotonic() + 20
    while True:
        try:
            if served(number) > 0:
                return child
        except OSError:
            pass
        assert time.monotonic() < deadline, "the proxy sends it nothing"
        browser.send("GET", "/problems")
        time.sleep(0.05)


def main():
    headers()
    walk()
    bob = Browser()
    bob.signs_in("bob@example.test")

    crowd = Crowd(bob.token)
    time.sleep(2)
    assert served(1) > 20 and served(2) > 20, "both replicas are asked"
    os.kill(int(os.environ["REPLICA_1_PID"]), signal.SIGKILL)
    time.sleep(3)
    print(f"a replica is killed under load: {crowd.leaves()}, none failed")

    first = start(1)
    crowd = Crowd(bob.token)
    time.sleep(1)
    os.kill(int(os.environ["REPLICA_2_PID"]), signal.SIGTERM)
    time.sleep(3)
    print(f"a replica is stopped under load: {crowd.leaves()}, none failed")

    first.terminate()
    assert first.wait(30) == 0
    time.sleep(0.5)
    answer, problem = Browser().send("GET", "/problems", X_Request_Id="nobody-there")
    assert answer.status == 503 and answer.getheader("Content-Type") == "application/problem+json", answer.status
    assert answer.getheader("Retry-After") == "5" and problem["request_id"] == "nobody-there", problem
    assert problem["code"] == "unavailable"
    print("without a replica the proxy answers 503 unavailable")


main()
