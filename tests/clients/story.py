"""The generated client for Python against the running service, through the life of an authenticator.

Prints a line a step, and ends with the first thing that is not as the document says.
"""

import os
import time
import uuid

import pyotp
import twofold_client as twofold

PASSWORD = os.environ["STORY_PASSWORD"]
EMAIL = os.environ["STORY_EMAIL"]
WINDOW = int(os.environ["TWOFOLD_TOTP_WINDOW"])  # wide, so that no code has to be waited for
PERIOD = 30

configuration = twofold.Configuration(host=os.environ["STORY_URL"])
client = twofold.ApiClient(configuration)
login = twofold.LoginApi(client)
factors = twofold.TwoFactorApi(client)
account = twofold.AccountApi(client)


class Phone:
    """An authenticator app that shows each code once, the earliest that the service still takes first."""

    def __init__(self, secret):
        self.totp = pyotp.TOTP(secret)
        self.step = int(time.time()) // PERIOD - WINDOW

    def code(self):
        self.step += 1
        return self.totp.at(self.step * PERIOD)


def step(claim, holds):
    if not holds:
        raise SystemExit(f"not so: {claim}")
    print(f"ok  {claim}", flush=True)


def refused(call, status, code):
    """The problem that a call is answered with, as the client's own exception carries it."""
    try:
        answer = call()
    except twofold.ApiException as error:
        problem = error.data
        step(f"refused with {status} {code}", error.status == status and isinstance(problem, twofold.Problem)
             and (problem.status, problem.code, problem.type) == (status, code, f"/problems/{code}"))
        return problem
    raise SystemExit(f"not refused with {code}: {answer}")


def bearer(tokens):
    configuration.access_token = tokens.access_token


def signed_in():
    """Signs in by the password alone."""
    answer = login.login(twofold.LoginRequest(email=EMAIL, password=PASSWORD)).actual_instance
    step("the password alone signs in", isinstance(answer, twofold.SignedIn) and answer.result == "signed_in")
    step("its tokens are aal1", answer.tokens.acr is twofold.Acr.AAL1 and answer.tokens.amr == [twofold.Amr.PWD])
    bearer(answer.tokens)


def wrong_password():
    request = twofold.LoginRequest(email=EMAIL, password="not the password")
    problem = refused(lambda: login.login(request), 403, "invalid-credential")
    malay = refused(lambda: login.login(request, accept_language="ms"), 403, "invalid-credential")
    step("its text is in the language asked for", problem.detail != malay.detail)
    mine = uuid.uuid4().hex
    named = refused(lambda: login.login(request, x_request_id=mine), 403, "invalid-credential")
    step("it names the request", named.request_id == mine)


def set_up(label):
    status = factors.get_two_factor_status()
    step("status: off, and may be set up", not status.enabled and status.methods == [] and status.actions.setup.allowed)
    enrolment = factors.start_totp_enrolment(twofold.EnrollRequest(password=PASSWORD, label=label))
    step("an enrolment has a secret", enrolment.label == label and enrolment.secret in enrolment.otpauth_uri)
    waiting = factors.get_totp_enrolment(enrolment.id)
    step("it waits for its confirm", waiting.state is twofold.EnrolmentProgress.PENDING)
    phone = Phone(enrolment.secret)
    confirmed = factors.confirm_totp_enrolment(enrolment.id, twofold.ConfirmRequest(code=phone.code()))
    bearer(confirmed.tokens)
    step("the first code confirms it", confirmed.status.enabled and len(set(confirmed.recovery_codes)) == 10)
    step("its tokens are aal2", confirmed.tokens.acr is twofold.Acr.AAL2)
    method = confirmed.status.methods[0]
    step("the method is there", (method.label, method.type) == (label, twofold.MethodType.TOTP))
    return phone, method


def second_sign_in(phone):
    answer = login.login(twofold.LoginRequest(email=EMAIL, password=PASSWORD)).actual_instance
    step("the password asks for the second factor", isinstance(answer, twofold.SecondFactorRequired)
         and twofold.ChallengeMethod.TOTP in answer.methods)
    code = phone.code()
    done = login.login_second_factor(twofold.SecondFactorRequest(challenge=answer.challenge, code=code))
    step("the next code completes it", done.result == "signed_in" and twofold.Amr.OTP in done.tokens.amr)
    bearer(done.tokens)
    again = twofold.SecondFactorRequest(challenge=answer.challenge, code=code)
    refused(lambda: login.login_second_factor(again), 410, "challenge-expired")
    refused(lambda: factors.verify_second_factor(twofold.FactorRequest(code=code)), 403, "invalid-credential")


def rename(method):
    etag = factors.get_two_factor_status_with_http_info().headers["etag"]
    renamed = factors.rename_method(method.id, twofold.RenameRequest(label="Work phone"), if_match=etag)
    step("a change with the version of the status is done", renamed.label == "Work phone")
    request = twofold.RenameRequest(label="Lost update")
    refused(lambda: factors.rename_method(method.id, request, if_match=etag), 412, "version-mismatch")
    label = factors.get_two_factor_status().methods[0].label
    step("a change with an older version changes nothing", label == "Work phone")


def disable(phone):
    preview = factors.preview_disable()
    step("preview: one method and ten recovery codes", preview.blocked_by is None
         and (preview.would_revoke.methods, preview.would_revoke.recovery_codes) == (1, 10))
    step("preview: the password is asked for", preview.proofs == [twofold.Proof.PASSWORD])
    wrong = twofold.DisableRequest(password="not the password")
    refused(lambda: factors.disable_two_factor(wrong), 403, "invalid-credential")
    key = str(uuid.uuid4())
    # Members that are left out are sent as null by some clients, such as the one for Kotlin.
    why = twofold.DisableReason.NEW_PHONE
    request = twofold.DisableRequest(password=PASSWORD, reason=why, code=None, recovery_code=None)
    step("what is not given is sent as null", request.to_dict().get("code", "absent") is None)
    disabled = factors.disable_two_factor(request, idempotency_key=key)
    step(f"disabled: {disabled.message}", not disabled.enabled and disabled.revoked.methods == 1)
    bearer(disabled.tokens)
    replay = factors.disable_two_factor_with_http_info(request, idempotency_key=key)
    step("the same key replays the answer, without tokens", replay.headers.get("idempotent-replayed") == "true"
         and replay.data.disabled_at == disabled.disabled_at and replay.data.tokens is None)
    refused(lambda: factors.disable_two_factor(request), 409, "two-factor-not-enabled")
    proof = twofold.FactorRequest(code=phone.code())
    refused(lambda: factors.verify_second_factor(proof), 409, "two-factor-not-enabled")
    status = factors.get_two_factor_status()
    step("status: off, since then", not status.enabled and status.disabled_at == disabled.disabled_at)


def security_log():
    """Reads the whole log in pages of three."""
    page = account.list_events(limit=3)
    step("a page of the log has as many events as asked for", len(page.events) == 3 and page.next_cursor is not None)
    events = page.events
    while page.next_cursor is not None:
        page = account.list_events(limit=3, cursor=page.next_cursor)
        events += page.events
    step("no event is on two pages", len({event.id for event in events}) == len(events))
    step("the newest is first", all(older.at <= newer.at for newer, older in zip(events, events[1:])))
    kinds = [event.type for event in events]
    step("the log tells the story", kinds.count("two_factor.enabled") == 2 and kinds.count("two_factor.disabled") == 1)
    off = next(event for event in events if event.type == "two_factor.disabled")
    step("it says who and why", off.actor.kind is twofold.ActorKind.OWNER and off.details["reason"] == "new_phone")


def sign_out():
    step("there are sessions", any(session.current for session in account.list_sessions().sessions))
    login.logout()
    refused(account.get_account_security, 401, "invalid-token")


wrong_password()
signed_in()
first, protecting = set_up("Pixel 9")
second_sign_in(first)
rename(protecting)
disable(first)
signed_in()
set_up("Pixel 10")
security_log()
sign_out()
