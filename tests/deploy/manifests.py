"""Reads the manifests below deploy/kubernetes."""

import glob
import os

import yaml

# A test's working folder is the root of the project, as Bazel lays it out.
FOLDER = "deploy/kubernetes"


def paths(folder=FOLDER):
    """The files of the base and of the examples. kustomization.yaml is kubectl's own, and apart."""
    found = sorted(glob.glob(os.path.join(folder, "*", "*.yaml")))
    if not found:
        raise SystemExit(f"no manifests below {folder}")
    return found


def read(path):
    """The documents of a file."""
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document is not None]


def documents():
    """All (name for messages, document)."""
    return [(f"{path}: {document['kind']} {document['metadata']['name']}", document)
            for path in paths() for document in read(path)]


def find(kind, name):
    """The one document of this kind and name."""
    (found,) = [document for _, document in documents()
                if document["kind"] == kind and document["metadata"]["name"] == name]
    return found
