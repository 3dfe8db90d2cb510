"""A fresh session for every case, of a person whose second factor is off, on, or being set up."""

import itertools
import os
import time

import pyotp
import requests
import schemathesis

BASE = os.environ["MACHINE_URL"]
PASSWORD = os.environ["MACHINE_PASSWORD"]
PERSONS = int(os.environ["MACHINE_PERSONS"])
WINDOW = 10  # steps that the service accepts, as tests/machine/run sets it
TOTP = "/account/security/2fa/totp"


def post(path, body, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.post(BASE + path, json=body, headers=headers, timeout=30)


class Person:
    def __init__(self, number):
        self.email = f"person{number}@example.test"
        self.state = ("off", "on", "pending")[number % 3]
        self.secret = None
        self.last = 0

    def code(self):
        """A code of the earliest step that was not used; each is good once."""
        now = int(time.time()) // 30
        self.last = max(self.last + 1, now - WINDOW + 1)
        return pyotp.TOTP(self.secret).at(self.last * 30) if self.last < now + WINDOW else None

    def sign_in(self):
        answer = post("/auth/login", {"email": self.email, "password": PASSWORD})
        if answer.status_code != 200:
            return None  # a case changed the password
        answer = answer.json()
        if answer["result"] == "second_factor_required":
            code = self.code() if self.secret else None
            if code is None:
                return None
            answer = post("/auth/login/second-factor", {"challenge": answer["challenge"], "code": code})
            return answer.json()["tokens"]["access_token"] if answer.status_code == 200 else None
        token = answer["tokens"]["access_token"]
        return token if self.state == "off" else self.enrol(token)

    def enrol(self, token):
        started = post(TOTP, {"password": PASSWORD}, token).json()
        if self.state == "pending":
            return token
        self.secret, self.last = started["secret"], 0
        done = post(f"{TOTP}/{started['id']}/confirm", {"code": self.code()}, token)
        return done.json()["tokens"]["access_token"]


POOL = itertools.cycle([Person(number) for number in range(PERSONS)])


@schemathesis.auth(cache_by_key=None, refresh_interval=None)
class FreshSession:
    def get(self, case, context):
        for person in itertools.islice(POOL, PERSONS):
            token = person.sign_in()
            if token:
                return token
        raise RuntimeError("nobody in the pool can sign in")

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    # As a valid `If-Match`, schemathesis 4.32.5 sends the tag `"0"` without its quotes, which its own
    # reading of the pattern refuses too. Cases that are meant to be invalid stay as they are.
    if case.meta and case.meta.generation.mode.is_positive and (case.headers or {}).get("If-Match") == "0":
        case.headers["If-Match"] = '"0"'
