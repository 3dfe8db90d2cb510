"""An account a case; in every second case that is meant to be valid, the real values of that account."""

import atexit
import collections
import functools
import itertools
import json
import os

import schemathesis
from persons import BASE, CLIENT, PASSWORD, PEER, RECEIVER, WIRE, Agent, Hooked, Partner, Person

NUMBERS = iter(range(int(os.environ["MACHINE_ACCOUNTS"])))
STATES = itertools.cycle(Person.STATES)
# States in which an operation can succeed, where not all will do.
WANTED = {
    "GET /account/security/2fa/totp/{id}": ("pending", "moving"),
    "DELETE /account/security/2fa/totp/{id}": ("pending", "moving"),
    "POST /account/security/2fa/totp/{id}/confirm": ("pending", "moving"),
    "PATCH /account/security/2fa/methods/{id}": ("on", "two"),
    "POST /account/security/2fa/methods/{id}/remove": ("two",),
    "POST /account/security/2fa/disable": ("on", "two"),
    "GET /account/security/2fa/disable/preview": ("on", "two"),
    "POST /account/security/2fa/undo": ("on", "two"),
    "POST /account/security/2fa/undo/preview": ("on", "two"),
    "POST /account/security/2fa/reminders/stop": ("on", "two"),
    "POST /account/security/2fa/reminders/one-click": ("on", "two"),
    "POST /account/security/2fa/recovery-codes": ("on", "two"),
    "POST /account/security/2fa/verify": ("on", "two"),
    "POST /auth/login/second-factor": ("on", "two"),
    "POST /auth/login/second-factor/start": ("on",),
    "POST /account/security/2fa/verify/start": ("on",),
    "DELETE /account/security/devices/{id}": ("on",),
    "POST /support/accounts/{id}/2fa/reset": ("on", "two"),
    "POST /support/accounts/{id}/2fa/bypass-code": ("on", "two"),
    "POST /partner/accounts/{id}/2fa/verify": ("on", "two"),
}
NEEDS_A_FACTOR = ("POST /account/security/2fa/verify", "POST /auth/login/second-factor", "POST /partner/accounts/{id}/2fa/verify")
TOKENS = "POST /oauth/token"
# Kinds of method that are enrolled by an id of their own path.
ASKED = {f"/account/security/2fa/{kind}/{{id}}": kind for kind in ("email", "sms", "passkeys")}
# Few cases are made of them, and of these most are about headers: each valid one has a real id.
FEW = tuple(f"DELETE {path}" for path in ASKED)
PROBLEMS = itertools.cycle(WIRE.get(f"{BASE}/problems").json()["problems"])

keys = itertools.count()
turns = collections.defaultdict(itertools.count)
owners = {}
makers = {}
counts = collections.defaultdict(collections.Counter)


@functools.cache
def agent():
    return Agent()


@functools.cache
def partner():
    return Partner()


@functools.cache
def hooked():
    return Hooked()


def valid(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.auth(cache_by_key=None, refresh_interval=None)
class OwnAccount:
    def get(self, case, context):
        # An id out of an earlier answer: the next step of that answer's person, with nothing filled in.
        for value in (case.path_parameters or {}).values():
            if value in makers:
                makers[value].refresh()
                return makers[value], 1
        turn = next(turns[case.operation.label]) if valid(case) else 1
        if valid(case) and case.operation.label in FEW:
            turn *= 2
        if case.operation.path.startswith(Hooked.PATH):
            return hooked().serves(hooked().customer), turn
        wanted = WANTED.get(case.operation.label) if turn % 2 == 0 else None
        state = wanted[turn // 2 % len(wanted)] if wanted else next(STATES)
        person = Person(next(NUMBERS), state)
        if case.operation.path.startswith("/support"):
            return agent().serves(person), turn
        if case.operation.path.startswith("/partner"):
            return partner().serves(person), turn
        return person, turn

    def set(self, case, data, context):
        owners[case.id] = data
        case.headers = case.headers or {}
        # A client shows itself in the form; see `fill`.
        if case.operation.label != TOKENS:
            case.headers["Authorization"] = data[0].bearer()


@schemathesis.hook
def before_call(context, case, kwargs):
    # As a valid `If-Match`, schemathesis 4.32.5 sends the tag `"0"` without its quotes, which its own
    # reading of the pattern refuses too. Cases that are meant to be invalid stay as they are.
    if valid(case) and (case.headers or {}).get("If-Match") == "0":
        case.headers["If-Match"] = '"0"'
    # Requests that a check makes of a case have ids of their own, and nobody.
    person, turn = owners.get(case.id, (None, 1))
    if valid(case) and turn % 2 == 0:
        fill(case, person, turn // 2)
        if "Idempotency-Key" in case.headers and next(keys) % 2 == 0:
            send_before(case, person)


def send_before(case, person):
    """Lets the case be the second time that its request is sent."""
    if case.derive(keep_auth=True).call().status_code < 300:
        person.refresh()
        case.headers["Authorization"] = person.bearer()


def fill(case, person, turn):
    """Puts real values where the case has values."""
    if case.operation.label == TOKENS:
        case.headers.pop("Authorization", None)
        case.body = {"grant_type": "client_credentials", "client_id": CLIENT["id"], "client_secret": CLIENT["secret"]}
        return
    if case.operation.label == "DELETE /account/security/partners/{id}":
        person.send("PUT", f"/account/security/partners/{PEER['id']}")
    if case.operation.path.endswith("/start") and person.methods:
        person.take_sms()
        case.headers["Authorization"] = person.bearer()
    path = path_of(person, case.operation.path)
    if isinstance(case.body, dict):
        case.body = body_of(person, case.operation.label, case.body)
    case.path_parameters = {**(case.path_parameters or {}), **path}
    if "If-Match" in case.headers and turn % 4 != 3:
        case.headers["If-Match"] = person.version()
    if "email" in (case.query or {}):
        case.query = {**case.query, "email": person.customer.email}
    if "token" in (case.query or {}) and person.methods:
        case.query = {**case.query, "token": person.link("stop-reminders")}
    if "cursor" in (case.query or {}) and (cursor := person.cursor()):
        case.query = {**case.query, "cursor": cursor}


def body_of(person, label, body):
    body = dict(body)
    if "/sms/" in label and "code" in body:
        return body | {"code": person.sms_code()}
    if label in NEEDS_A_FACTOR and not body.get("recovery_code"):
        body["code"] = "filled below"
    if body.get("code"):
        body.pop("recovery_code", None)
    real = {
        "email": lambda: person.email,
        "password": lambda: PASSWORD,
        "current_password": lambda: PASSWORD,
        # Seven bytes are too few, and the schema counts characters; eight times anything short is long enough.
        "new_password": lambda: body["new_password"] * (8 if len(body["new_password"].encode()) < 8 else 1),
        "code": person.code,
        "recovery_code": lambda: next(iter(person.recovery_codes), None),
        "challenge": lambda: person.login().get("challenge"),
        "token": lambda: person.link("undo" if "/undo" in label else "stop-reminders") if person.methods else None,
        "refresh_token": lambda: person.tokens["refresh_token"],
        "replaces": lambda: person.methods[0].id if person.methods else None,
        "url": lambda: RECEIVER,
        "phone": lambda: person.phone,
        "method": lambda: "sms" if label.endswith("/start") else None,
    }
    for name in body.keys() & real.keys():
        if body[name] is not None:
            body[name] = real[name]() or body[name]
    return body


def path_of(person, path):
    if path.startswith(Hooked.PATH):
        webhook = person.webhook()
        return {"id": webhook} | ({"n": person.delivery(webhook)} if "{n}" in path else {}) if "{id}" in path else {}
    if path.startswith("/support/accounts/{id}"):
        return {"id": person.customer.account()}
    if path.startswith("/partner/accounts/{id}"):
        return {"id": person.customer.account()}
    if path == "/account/security/partners/{id}":
        return {"id": PEER["id"]}
    if kind := next((kind for prefix, kind in ASKED.items() if path.startswith(prefix)), None):
        return {"id": person.start_asked(kind)}
    if path == "/account/security/devices/{id}" and person.methods:
        return {"id": person.remember()}
    if "/totp/{id}" in path and person.pending:
        return {"id": person.pending.id}
    if "/methods/{id}" in path and person.methods:
        return {"id": person.methods[0].id}
    if "{sid}" in path:
        return {"sid": person.session()}
    return {"code": next(PROBLEMS)["code"]} if path == "/problems/{code}" else {}


@schemathesis.hook
def after_call(context, case, response):
    owner = owners.pop(case.id, None)
    # A case without a token, or with a made-up one, is a case too; what a check sends beside a case is none.
    if owner or case.operation.schema.is_security_param_negated(case):
        replayed = " again" if "idempotent-replayed" in response.headers else ""
        counts[case.operation.label][f"{response.status_code}{replayed}"] += 1
    if owner and case.operation.path.startswith("/account/security/2fa") and response.status_code in (200, 201):
        makers.update(dict.fromkeys(ids_in(response.json()), owner[0]))


def ids_in(answer):
    """The ids of methods and enrolments that an answer shows."""
    shown = [answer, *answer.get("methods", []), *answer.get("pending", [])]
    return [item["id"] for item in shown if "id" in item]


@atexit.register
def keep_counts():
    with open(os.environ["MACHINE_COUNTS"], "w") as file:
        json.dump(counts, file)
