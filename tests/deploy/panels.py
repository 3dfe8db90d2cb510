"""The expressions of a dashboard as recording rules, for promtool to read: `panels.py DASHBOARD`."""

import json
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    dashboard = json.load(file)
variables = {variable["name"] for variable in dashboard["templating"]["list"]}
assert variables == {"datasource", "job", "instance"}, variables
rules, places = [], set()
for panel in dashboard["panels"]:
    place = panel["gridPos"]
    assert place["x"] + place["w"] <= 24, panel["title"]
    assert (place["x"], place["y"]) not in places, f"two panels in one place: {panel['title']}"
    places.add((place["x"], place["y"]))
    for target in panel.get("targets", []):
        expression = target["expr"].replace("$__rate_interval", "5m").replace("$job", "twofold").replace("$instance", ".*")
        assert "$" not in expression, expression
        rules.append({"record": f"panel:{panel['id']}{target['refId'].lower()}", "expr": expression})
assert len(rules) > 15, len(rules)
yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}, sys.stdout)
