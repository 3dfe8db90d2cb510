"""How the operations of a document were answered: `report.py COUNTS DOCUMENT`; fails where one never succeeded."""

import json
import sys

LEAST = 2000
# What takes a mailbox or an authenticator to succeed. With one, it is tried in tests/mail, tests/api and tests/browser.
ELSEWHERE = (
    "POST /account/security/2fa/email/{id}/confirm",
    "POST /account/security/2fa/passkeys/{id}/confirm",
)
METHODS = ("get", "put", "post", "patch", "delete")

with open(sys.argv[1]) as file:
    counts = json.load(file)
with open(sys.argv[2]) as file:
    paths = json.load(file)["paths"]

labels = [f"{method.upper()} {path}" for path, item in paths.items() for method in METHODS if method in item]
missed, cases = [], 0
print(f"{'operation':<50} cases   2xx  each status")
for label in labels:
    answers = counts.get(label, {})
    succeeded = sum(count for status, count in answers.items() if status.startswith("2"))
    each = " ".join(f"{status}:{answers[status]}" for status in sorted(answers))
    print(f"{label:<50} {sum(answers.values()):>5} {succeeded:>5}  {each}")
    cases += sum(answers.values())
    if not succeeded and label not in ELSEWHERE:
        missed.append(label)
print(f"{cases} cases")
if missed:
    sys.exit("never succeeded: " + ", ".join(missed))
if cases < LEAST:
    sys.exit(f"only {cases} cases were made, of {LEAST} at least")
