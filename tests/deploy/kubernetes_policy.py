"""What our manifests must say beyond being valid: Pod Security "restricted", and our own habits.

A rule takes a document (or all of them) and yields what is wrong.
"""

_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
            "projected", "secret"}
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
OURS = "handfast"  # our images begin so; an example's own container may do without probes


def pod_of(document):
    """The pod's specification in a workload; None in anything else."""
    if document["kind"] == "Pod":
        return document["spec"]
    return document.get("spec", {}).get("template", {}).get("spec")


def _get(value, *path):
    for key in path:
        value = (value or {}).get(key)
    return value


def _restricted_pod(pod):
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            yield f"{field} is set"
    security = pod.get("securityContext", {})
    if security.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if not security.get("runAsUser"):
        yield "runAsUser is root, or the image's"
    if _get(security, "seccompProfile", "type") != "RuntimeDefault":
        yield "seccompProfile is not RuntimeDefault"
    for volume in pod.get("volumes", []):
        if kinds := set(volume) - {"name"} - _VOLUMES:
            yield f"volume {volume['name']} is a {' '.join(kinds)}"
    if pod.get("automountServiceAccountToken") is not False:
        yield "a service account token is mounted"


def _restricted_container(container):
    security = container.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if security.get("privileged"):
        yield "it is privileged"
    if _get(security, "capabilities", "drop") != ["ALL"] or _get(security, "capabilities", "add"):
        yield "capabilities are kept"
    if security.get("readOnlyRootFilesystem") is not True:
        yield "its root can be written"
    for field, forbidden in (("runAsNonRoot", False), ("runAsUser", 0)):
        if field in security and security[field] == forbidden:
            yield f"it undoes the pod's {field}"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "it takes a port of the node"


def _manners(container):
    resources = container.get("resources", {})
    for path in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
        if not _get(resources, *path):
            yield f"no resources.{'.'.join(path)}"
    if ":" not in container["image"] or container["image"].endswith(":latest"):
        yield "its image has no version"
    if container["image"].startswith(OURS):
        yield from (f"no {probe}" for probe in _PROBES if probe not in container)
    if any("subPath" in mount for mount in container.get("volumeMounts", [])):
        yield "a file is mounted alone, so a rotated secret would not arrive"
    sources = [variable.get("valueFrom", {}) for variable in container.get("env", [])]
    if any("secretKeyRef" in source for source in sources):
        yield "a secret is in its environment"


def faults(document):
    """What is wrong with one document, as lines."""
    kind = document["kind"]
    if kind == "Namespace":
        label = "pod-security.kubernetes.io/enforce"
        if _get(document, "metadata", "labels", label) != "restricted":
            yield "the namespace does not enforce restricted pods"
    if kind == "ServiceAccount" and document.get("automountServiceAccountToken") is not False:
        yield "the service account hands out its token"
    pod = pod_of(document)
    if pod is None:
        return
    yield from _restricted_pod(pod)
    for container in pod["containers"] + pod.get("initContainers", []):
        for rule in (_restricted_container, _manners):
            yield from (f"container {container['name']}: {fault}" for fault in rule(container))


def _matches(selector, labels):
    return selector and all(labels.get(key) == value for key, value in selector.items())


def reference_faults(documents):
    """What documents say of each other and is not so."""
    pods = [(document["metadata"]["namespace"], document["spec"]["template"]["metadata"]["labels"],
             {port["name"] for container in pod["containers"]
              for port in container.get("ports", [])})
            for document in documents if (pod := pod_of(document))]
    services = [document for document in documents if document["kind"] == "Service"]

    def selected(document, selector):
        space = document["metadata"]["namespace"]
        return [ports for namespace, labels, ports in pods
                if namespace == space and _matches(selector, labels)]

    for service in services:
        found = selected(service, service["spec"]["selector"])
        name = f"Service {service['metadata']['name']}"
        if not found:
            yield f"{name} selects no pod"
        for port in service["spec"]["ports"]:
            if not all(port["targetPort"] in ports for ports in found):
                yield f"{name}: no port {port['targetPort']} in its pods"
    for document in documents:
        kind, spec = document["kind"], document.get("spec", {})
        if kind == "StatefulSet":
            if spec["serviceName"] not in [service["metadata"]["name"] for service in services]:
                yield f"StatefulSet: no service {spec['serviceName']}"
        if kind == "PodDisruptionBudget":
            if not selected(document, spec["selector"]["matchLabels"]):
                yield "PodDisruptionBudget selects no pod"
        if kind == "ServiceMonitor":
            ports = {spec_port["name"] for service in services
                     if _matches(spec["selector"]["matchLabels"], service["metadata"]["labels"])
                     for spec_port in service["spec"]["ports"]}
            if not {endpoint["port"] for endpoint in spec["endpoints"]} <= ports:
                yield "ServiceMonitor: no service has its port"
    for namespace in {namespace for namespace, _, _ in pods}:
        if not any(_denies_all(document, namespace) for document in documents):
            yield f"namespace {namespace} has no policy that denies by default"


def _denies_all(document, namespace):
    return (document["kind"] == "NetworkPolicy" and document["metadata"]["namespace"] == namespace
            and document["spec"]["podSelector"] == {}
            and set(document["spec"]["policyTypes"]) == {"Ingress", "Egress"}
            and not document["spec"].get("ingress") and not document["spec"].get("egress"))
