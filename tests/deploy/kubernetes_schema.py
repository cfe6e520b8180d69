"""Validates manifests as the API server would read them, strictly: an unknown field is an error.

Schemas are those that a cluster publishes (OpenAPI version 2) and custom resource definitions.
"""

import copy
import json

import jsonschema
import yaml

_META = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# Go types whose JSON is more than the published schema says.
_OWN_FORMS = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["number", "string"]},
}


def _strict(schema):
    """The schema with unknown fields forbidden, wherever it lists the known ones."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    result = {key: _strict(value) for key, value in schema.items()}
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    # "properties" may also be the name of a field; a schema's are a mapping of schemas.
    if isinstance(schema.get("properties"), dict) and not is_open:
        result["additionalProperties"] = False
    return result


def _kind_of(document):
    group, _, version = str(document.get("apiVersion")).rpartition("/")
    return group, version, document.get("kind")


class Schemas:
    """What a cluster knows."""

    def __init__(self, openapi_path, definition_paths):
        with open(openapi_path, encoding="utf-8") as file:
            self._definitions = {name: _strict(schema)
                                 for name, schema in json.load(file)["definitions"].items()}
        self._definitions.update(_OWN_FORMS)
        self._by_kind = {}
        for name, schema in self._definitions.items():
            for kind in schema.get("x-kubernetes-group-version-kind", []):
                key = kind["group"], kind["version"], kind["kind"]
                self._by_kind[key] = {"$ref": f"#/definitions/{name}"}
        for path in definition_paths:
            self._add_definition(path)

    def _add_definition(self, path):
        with open(path, encoding="utf-8") as file:
            spec = yaml.safe_load(file)["spec"]
        for version in spec["versions"]:
            schema = copy.deepcopy(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"$ref": _META}
            self._by_kind[spec["group"], version["name"], spec["names"]["kind"]] = _strict(schema)

    def faults(self, document):
        """What is wrong with a document, as lines; none when it is valid."""
        schema = self._by_kind.get(_kind_of(document))
        if schema is None:
            return ["no such kind: {} {} {}".format(*_kind_of(document))]
        # In draft 7 what stands beside a $ref is not looked at, but can be referred to.
        validator = jsonschema.Draft7Validator({**schema, "definitions": self._definitions})
        return ["/".join(map(str, error.absolute_path)) + ": " + error.message[:150]
                for error in validator.iter_errors(document)]
