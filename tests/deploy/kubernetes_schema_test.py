#!/usr/bin/env python3
"""Every manifest is what a cluster accepts, and a broken one is refused."""

import copy
import glob
import os
import sys
import unittest

sys.dont_write_bytecode = True
import kubernetes_schema  # noqa: E402  (set first)
import manifests  # noqa: E402

VECTORS = os.environ.get("HANDFAST_VECTORS") or ""
OPENAPI = os.path.join(VECTORS, "k8s", "k8s-openapi-v2-definitions.json")


class SchemaTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        definitions = sorted(glob.glob(os.path.join(VECTORS, "k8s", "*.yaml")))
        cls.schemas = kubernetes_schema.Schemas(OPENAPI, definitions)

    def test_every_manifest_is_valid(self):
        checked = 0
        for name, document in manifests.documents():
            with self.subTest(name):
                self.assertEqual([], self.schemas.faults(document))
                checked += 1
        print(f"{checked} manifests are valid")

    def assert_refused(self, document, words):
        self.assertIn(words, " ".join(self.schemas.faults(document)))

    def test_a_broken_manifest_is_refused(self):
        good = manifests.find("StatefulSet", "handfastd")

        misspelt = copy.deepcopy(good)
        container = misspelt["spec"]["template"]["spec"]["containers"][0]
        container["readinesProbe"] = container.pop("readinessProbe")
        self.assert_refused(misspelt, "readinesProbe")

        wrong_type = copy.deepcopy(good)
        wrong_type["spec"]["replicas"] = "one"
        self.assert_refused(wrong_type, "'one' is not of type 'integer'")

        incomplete = copy.deepcopy(good)
        del incomplete["spec"]["selector"]
        self.assert_refused(incomplete, "'selector' is a required property")

        self.assert_refused({**good, "apiVersion": "apps/v1beta1"}, "no such kind")

    def test_a_broken_custom_resource_is_refused(self):
        broken = copy.deepcopy(manifests.find("ServiceMonitor", "handfastd"))
        broken["spec"]["endpoints"][0]["intervall"] = "15s"
        self.assert_refused(broken, "intervall")
        broken = copy.deepcopy(manifests.find("Certificate", "handfastd"))
        broken["metadata"]["label"] = {}
        self.assert_refused(broken, "label")


if __name__ == "__main__":
    if not os.path.exists(OPENAPI):
        unchecked = len(manifests.documents())
        print(f"SKIP: HANDFAST_VECTORS has no k8s schemas: {unchecked} manifests not validated")
        sys.exit(0)
    unittest.main()
