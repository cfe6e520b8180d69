#!/usr/bin/env python3
"""The manifests run with the least rights, and agree with each other and with the programs."""

import copy
import re
import subprocess
import sys
import unittest

import yaml

sys.dont_write_bytecode = True
import kubernetes_policy as policy  # noqa: E402  (set first)
import manifests  # noqa: E402

EDGE = "client/edge/handfast-edge"


def base():
    return [document for path in manifests.paths() if "/base/" in path
            for document in manifests.read(path)]


def set_at(document, path, value):
    """A copy of the document with one field set, or removed where the value is None."""
    result = copy.deepcopy(document)
    *above, last = path
    place = result
    for key in above:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result


class PolicyTest(unittest.TestCase):

    def test_every_manifest_keeps_the_rules(self):
        for name, document in manifests.documents():
            with self.subTest(name):
                self.assertEqual([], list(policy.faults(document)))

    def test_each_rule_refuses(self):
        good = manifests.find("StatefulSet", "handfastd")
        pod = ("spec", "template", "spec")
        container = (*pod, "containers", 0)
        broken = [
            ((*pod, "hostNetwork"), True, "hostNetwork"),
            ((*pod, "securityContext", "runAsNonRoot"), None, "runAsNonRoot"),
            ((*pod, "securityContext", "runAsUser"), 0, "runAsUser"),
            ((*pod, "securityContext", "seccompProfile"), None, "seccompProfile"),
            ((*pod, "volumes", 0), {"name": "x", "hostPath": {"path": "/"}}, "hostPath"),
            ((*pod, "automountServiceAccountToken"), None, "token"),
            ((*container, "securityContext"), None, "allowPrivilegeEscalation"),
            ((*container, "securityContext", "privileged"), True, "privileged"),
            ((*container, "securityContext", "capabilities"), {"drop": []}, "capabilities"),
            ((*container, "securityContext", "capabilities", "add"), ["NET_ADMIN"], "capabilities"),
            ((*container, "securityContext", "readOnlyRootFilesystem"), False, "root can be"),
            ((*container, "securityContext", "runAsUser"), 0, "undoes"),
            ((*container, "ports", 0, "hostPort"), 8443, "port of the node"),
            ((*container, "resources", "limits"), None, "limits.memory"),
            ((*container, "image"), "handfast/handfastd:latest", "no version"),
            ((*container, "readinessProbe"), None, "readinessProbe"),
            ((*container, "volumeMounts", 0, "subPath"), "x", "mounted alone"),
            ((*container, "env", 0), {"name": "K", "valueFrom": {"secretKeyRef": {}}}, "a secret"),
        ]
        for path, value, words in broken:
            with self.subTest("/".join(map(str, path))):
                faults = list(policy.faults(set_at(good, path, value)))
                self.assertTrue(any(words in fault for fault in faults), faults)

    def test_namespace_and_account_rules_refuse(self):
        namespace = manifests.find("Namespace", "handfast")
        label = ("metadata", "labels", "pod-security.kubernetes.io/enforce")
        self.assertTrue(list(policy.faults(set_at(namespace, label, "baseline"))))
        account = manifests.find("ServiceAccount", "handfastd")
        account = set_at(account, ["automountServiceAccountToken"], None)
        self.assertTrue(list(policy.faults(account)))


class AgreementTest(unittest.TestCase):

    def test_the_base_agrees_with_itself(self):
        self.assertEqual([], list(policy.reference_faults(base())))

    def test_disagreement_is_found(self):
        for kind, path, value, words in [
            ("Service", ("spec", "selector"), {"app": "x"}, "selects no pod"),
            ("Service", ("spec", "ports", 0, "targetPort"), "http", "no port http"),
            ("StatefulSet", ("spec", "serviceName"), "x", "no service x"),
            ("PodDisruptionBudget", ("spec", "selector"), {"matchLabels": {"a": "b"}},
             "selects no pod"),
            ("ServiceMonitor", ("spec", "endpoints", 0, "port"), "x", "has its port"),
            ("NetworkPolicy", ("spec", "ingress"), [{}], "denies by default"),
        ]:
            documents = base()
            place = [document["kind"] for document in documents].index(kind)
            documents[place] = set_at(documents[place], path, value)
            with self.subTest(kind=kind, path=path):
                self.assertIn(words, " ".join(policy.reference_faults(documents)))

    def test_the_pod_outlives_the_drain(self):
        config = yaml.safe_load(manifests.find("ConfigMap", "handfastd")["data"]["handfast.yaml"])
        pod = policy.pod_of(manifests.find("StatefulSet", "handfastd"))
        self.assertGreater(pod["terminationGracePeriodSeconds"], config["drain_seconds"])

    def test_the_configuration_listens_where_the_pod_says(self):
        config = yaml.safe_load(manifests.find("ConfigMap", "handfastd")["data"]["handfast.yaml"])
        (container,) = policy.pod_of(manifests.find("StatefulSet", "handfastd"))["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        self.assertEqual(f"0.0.0.0:{ports['grpc']}", config["listeners"][0]["tcp"]["address"])
        self.assertEqual(f"0.0.0.0:{ports['admin']}", config["admin"]["address"])
        mounts = tuple(mount["mountPath"] + "/" for mount in container["volumeMounts"])
        text = manifests.find("ConfigMap", "handfastd")["data"]["handfast.yaml"]
        for path in re.findall(r": (/\S+)", text):
            self.assertTrue(path.startswith(mounts), f"{path} is on no volume")

    def test_the_example_calls_by_the_name_that_is_listed(self):
        config = yaml.safe_load(manifests.find("ConfigMap", "handfastd")["data"]["handfast.yaml"])
        callers = {principal["name"] for principal in config["principals"]}
        identity = manifests.find("Certificate", "shop-handfast-identity")
        self.assertIn(identity["spec"]["uris"][0], callers)

    def test_the_edge_has_every_flag_of_the_example(self):
        help_text = subprocess.run([EDGE, "--help"], check=True, capture_output=True, text=True,
                                   timeout=60).stdout
        known = set(re.findall(r"--[a-z0-9-]+", help_text))
        containers = policy.pod_of(manifests.find("Deployment", "shop"))["containers"]
        (edge,) = [container for container in containers if container["name"] == "handfast-edge"]
        self.assertEqual(set(), {flag.split("=")[0] for flag in edge["args"]} - known)


if __name__ == "__main__":
    unittest.main()
