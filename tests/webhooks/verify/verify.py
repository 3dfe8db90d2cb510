"""Judges cases by the library of Standard Webhooks for Python, each at the time that it was sent."""

import datetime
import json
import sys

import standardwebhooks.webhooks as library


def judged(case):
    now = datetime.datetime.fromtimestamp(int(case["headers"]["webhook-timestamp"]), datetime.timezone.utc)

    class Then(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return now

    library.datetime = Then
    try:
        library.Webhook(case["secret"]).verify(case["body"], case["headers"])
        return True
    except library.WebhookVerificationError:
        return False


with open(sys.argv[1], encoding="utf-8") as file:
    cases = json.load(file)
for n, case in enumerate(cases):
    if judged(case) != case["holds"]:
        sys.exit(f"case {n}: verified is not {case['holds']}")
print(f"{len(cases)} cases")
