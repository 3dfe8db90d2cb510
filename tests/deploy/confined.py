"""The pods of deploy/kubernetes keep the restricted Pod Security Standard, and every container of docker-compose.yml is confined.

Says what does not, and writes the settings of the ConfigMap to the file that it is given.
"""

import pathlib
import sys

import yaml

wrong = []


def need(holds, what):
    if not holds:
        wrong.append(what)


def documents():
    for path in sorted(pathlib.Path("deploy/kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


def restricted(pod, name):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    for host in ("hostNetwork", "hostPID", "hostIPC"):
        need(not pod.get(host), f"{name} uses {host}")
    need(pod["securityContext"].get("runAsNonRoot") is True, f"{name} may run as root")
    need(pod["securityContext"].get("runAsUser", 0) > 0, f"{name} runs as root")
    need(pod["securityContext"].get("seccompProfile", {}).get("type") == "RuntimeDefault", f"{name} has no seccomp profile")
    need(pod.get("automountServiceAccountToken") is False, f"{name} is given a token of the cluster")
    for volume in pod["volumes"]:
        kind = next(key for key in volume if key != "name")
        need(kind in ("configMap", "projected", "secret", "emptyDir"), f"{name} mounts a {kind}")
    for container in pod.get("initContainers", []) + pod["containers"]:
        what, context = f"{name}/{container['name']}", container["securityContext"]
        need(context.get("allowPrivilegeEscalation") is False, f"{what} may become more")
        need(context.get("readOnlyRootFilesystem") is True, f"{what} may write")
        need(context.get("capabilities") == {"drop": ["ALL"]}, f"{what} has capabilities")
        need(not context.get("privileged"), f"{what} is privileged")
        need({"requests", "limits"} <= container["resources"].keys(), f"{what} has no bounds")
        need(all("hostPort" not in port for port in container.get("ports", [])), f"{what} takes a port of the node")


def selects(document, kinds, labels):
    """Whatever names the pods by their labels names these."""
    spec = document["spec"]
    selector = spec.get("selector") or spec.get("podSelector")
    chosen = selector.get("matchLabels", selector) if selector else {}
    if document["kind"] in kinds:
        need(chosen.items() <= labels.items() and chosen, f"{document['kind']} {document['metadata']['name']} selects nothing")


def cluster():
    found = list(documents())
    deployment = next(document for document in found if document["kind"] == "Deployment")
    template = deployment["spec"]["template"]
    restricted(template["spec"], "the deployment")
    for document in found:
        if "spec" in document:
            selects(document, ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"), template["metadata"]["labels"])
        need(document["kind"] == "Namespace" or document["metadata"].get("namespace") == "twofold", f"{document['kind']} has no home")
    need(deployment["spec"]["replicas"] >= 2, "one replica is none while it is replaced")
    pod, containers = template["spec"], template["spec"]["containers"]
    need({"livenessProbe", "readinessProbe", "startupProbe"} <= containers[0].keys(), "a probe is missing")
    names = {document["metadata"]["name"] for document in found if document["kind"] == "ConfigMap"}
    need({volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume} == names, "a ConfigMap is missing")
    return next(document for document in found if document["kind"] == "ConfigMap")["data"]["settings.toml"]


def composed():
    services = yaml.safe_load(pathlib.Path("docker-compose.yml").read_text())["services"]
    for name, service in services.items():
        need(service.get("read_only") is True, f"{name} may write")
        need(service.get("cap_drop") == ["ALL"], f"{name} has capabilities")
        need("no-new-privileges:true" in service.get("security_opt", []), f"{name} may become more")
        need(not service.get("privileged"), f"{name} is privileged")
        need(not any("PASSWORD" in key and not key.endswith("_FILE") for key in service["environment"]), f"{name} is told a secret")
        need("ports" not in service or name == "proxy", f"{name} is published")


settings = cluster()
composed()
print("\n".join(wrong) or "confined       the pods keep the restricted profile; the containers write nowhere and have no capability")
pathlib.Path(sys.argv[1]).write_text(settings)
sys.exit(bool(wrong))
