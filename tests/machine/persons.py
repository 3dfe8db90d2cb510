"""A person with an account of its own, brought over HTTP to the state that a case needs."""

import base64
import datetime
import hmac
import json
import os
import re
import time
import tomllib
import uuid

import pyotp
import requests

BASE = os.environ["MACHINE_URL"]
PASSWORD = os.environ["MACHINE_PASSWORD"]
WINDOW = int(os.environ["TWOFOLD_TOTP_WINDOW"])
TOTP = "/account/security/2fa/totp"
WIRE = requests.Session()
CLIENT = json.loads(os.environ["MACHINE_CLIENT"])
HOOKED = json.loads(os.environ["MACHINE_HOOKED"])
RECEIVER = os.environ["MACHINE_RECEIVER"]
PEER = json.loads(os.environ["MACHINE_PEER"])


class Authenticator:
    def __init__(self, enrolment):
        self.id = enrolment["id"]
        self.totp = pyotp.TOTP(enrolment["secret"])
        self.last = 0

    def code(self):
        """A code of the earliest step that was not used; each is good once."""
        self.last = max(self.last + 1, int(time.time()) // 30 - WINDOW + 1)
        return self.totp.at(self.last * 30)


class Person:
    """Its second factor is off, pending, on, on with two authenticators, or moving from one to the next."""

    STATES = ("off", "pending", "on", "two", "moving")

    def __init__(self, number, state):
        self.email = f"person{number}@example.test"
        # A mobile telephone of Malaysia's numbering plan.
        self.phone = f"+6012{number:07}" if isinstance(number, int) else None
        self.methods, self.pending, self.recovery_codes = [], None, []
        self.tokens = self.login()["tokens"]
        if state != "off":
            self.start()
        if state in ("on", "two", "moving"):
            self.confirm()
        if state in ("two", "moving"):
            self.start(replaces=self.methods[0].id if state == "moving" else None)
        if state == "two":
            self.confirm()

    def send(self, method, path, body=None):
        answer = WIRE.request(method, BASE + path, json=body, headers={"Authorization": self.bearer()}, timeout=30)
        answer.raise_for_status()
        return answer

    def login(self):
        answer = WIRE.post(f"{BASE}/auth/login", json={"email": self.email, "password": PASSWORD}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def start(self, replaces=None):
        self.pending = Authenticator(self.send("POST", TOTP, {"password": PASSWORD, "replaces": replaces}).json())

    def start_asked(self, kind):
        """Starts the enrolment of a method that answers only when it is asked; its id."""
        body = {"password": PASSWORD} | ({"phone": self.phone} if kind == "sms" else {})
        return self.send("POST", f"/account/security/2fa/{kind}", body).json()["id"]

    def sms_code(self):
        """The code of the last SMS to this person, which is on its way."""
        for _ in range(100):
            text = WIRE.get(f"{RECEIVER}/{self.phone[1:]}", timeout=30).text
            if code := re.search("[0-9]{8}", text):
                return code[0]
            time.sleep(0.05)
        raise TimeoutError(self.phone)

    def take_sms(self):
        """Gets a method whose codes come by SMS."""
        path = f"/account/security/2fa/sms/{self.start_asked('sms')}/confirm"
        self.tokens = self.send("POST", path, {"code": self.sms_code()}).json()["tokens"]

    def remember(self):
        """Signs in on a device that is remembered; its id."""
        challenge = self.login()["challenge"]
        body = {"challenge": challenge, "code": self.code(), "remember_device": True}
        WIRE.post(f"{BASE}/auth/login/second-factor", json=body, timeout=30).raise_for_status()
        return self.send("GET", "/account/security/devices").json()["devices"][0]["id"]

    def confirm(self):
        path, code = f"{TOTP}/{self.pending.id}/confirm", self.pending.code()
        confirmed = self.send("POST", path, {"code": code}).json()
        self.methods.append(self.pending)
        self.pending, self.tokens = None, confirmed["tokens"]
        self.recovery_codes = confirmed["recovery_codes"] or self.recovery_codes

    def refresh(self):
        """A new access token in place of one that a change of factors ended; the old one where the session ended too."""
        body = {"refresh_token": self.tokens["refresh_token"]}
        answer = WIRE.post(f"{BASE}/auth/token/refresh", json=body, timeout=30)
        self.tokens = answer.json() if answer.ok else self.tokens

    def bearer(self):
        return f"Bearer {self.tokens['access_token']}"

    def session(self):
        claims = self.tokens["access_token"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=="))["sid"]

    def account(self):
        claims = self.tokens["access_token"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"]

    def version(self):
        return self.send("GET", "/account/security/2fa").headers["ETag"]

    def cursor(self):
        return self.send("GET", "/account/security/events?limit=1").json()["next_cursor"]

    def link(self, purpose):
        """The token of a link in the mail about a disable: this person's, who switches it off for that."""
        disabled = self.send("POST", "/account/security/2fa/disable", {"password": PASSWORD}).json()
        at = datetime.datetime.fromisoformat(disabled["disabled_at"])
        moment = round(at.timestamp() * 1000).to_bytes(8, "big")
        parts = [purpose.encode(), uuid.UUID(self.account()).bytes, moment]
        with open(os.environ["TWOFOLD_KEYS"], "rb") as file:
            naming = base64.b64decode(tomllib.load(file)["naming"]["key"])
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        tag = hmac.digest(naming, message, "sha256")[:16]
        return base64.urlsafe_b64encode(parts[1] + moment + tag).rstrip(b"=").decode()

    def code(self):
        authenticator = self.pending or next(iter(self.methods), None)
        return authenticator.code() if authenticator else None


class Agent(Person):
    """Somebody of support, with the customer that a case is about. One for all cases: what an agent does changes nothing
    of the agent's own."""

    FRESH = 500

    def __init__(self):
        super().__init__("agent", "on")
        self.proved, self.customer = time.monotonic(), None

    def serves(self, customer):
        if time.monotonic() - self.proved > self.FRESH:
            self.refresh()
            self.tokens = self.send("POST", "/account/security/2fa/verify", {"code": self.code()}).json()
            self.proved = time.monotonic()
        self.customer = customer
        return self

    def version(self):
        return self.send("GET", f"/support/accounts/{self.customer.account()}/2fa").headers["ETag"]

    def cursor(self):
        return self.send("GET", f"/support/accounts/{self.customer.account()}/events?limit=1").json()["next_cursor"]


class Partner:
    """A partner's program that sees every account, with the customer that a case is about. One for all cases."""

    FRESH = 500

    def __init__(self, client=CLIENT):
        self.client, self.customer, self.token, self.asked = client, None, None, 0

    def serves(self, customer):
        if self.token is None or time.monotonic() - self.asked > self.FRESH:
            form, auth = {"grant_type": "client_credentials"}, (self.client["id"], self.client["secret"])
            answer = WIRE.post(f"{BASE}/oauth/token", data=form, auth=auth, timeout=30)
            answer.raise_for_status()
            self.token, self.asked = answer.json()["access_token"], time.monotonic()
        self.customer, self.email = customer, customer.email
        return self

    def refresh(self):
        """Nothing that a partner does ends its token."""

    def bearer(self):
        return f"Bearer {self.token}"

    def version(self):
        return "*"

    def cursor(self):
        headers = {"Authorization": self.bearer()}
        return WIRE.get(f"{BASE}/partner/events", headers=headers, timeout=30).json()["next_cursor"]

    def code(self):
        return self.customer.code()


class Hooked(Partner):
    """A partner's program with webhooks, which sees the account of one customer. One for all cases."""

    PATH = "/partner/webhooks"

    def __init__(self):
        super().__init__(HOOKED)
        self.serves(Person("hooked", "on"))

    def send(self, method, path="", body=None):
        headers = {"Authorization": self.bearer()}
        answer = WIRE.request(method, f"{BASE}{self.PATH}{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def webhook(self):
        """One webhook at the receiver. Those that cases have added or moved go, so that there is room for more."""
        kept = None
        for webhook in self.send("GET")["webhooks"]:
            if kept is None and webhook["enabled"] and webhook["url"] == RECEIVER and webhook["kinds"] is None:
                kept = webhook["id"]
            else:
                self.send("DELETE", f"/{webhook['id']}")
        return kept or self.send("POST", body={"url": RECEIVER})["webhook"]["id"]

    def delivery(self, webhook):
        """The number of something that the webhook was told; where that is nothing, its customer changes the phone."""
        if not (told := self.send("GET", f"/{webhook}/deliveries")["deliveries"]):
            self.customer.start(replaces=self.customer.methods.pop().id)
            self.customer.confirm()
            while not (told := self.send("GET", f"/{webhook}/deliveries")["deliveries"]):
                time.sleep(0.05)
        return told[0]["n"]

    def cursor(self):
        """The first page is a page like any other."""
