"""The bill of materials of an image, as SPDX 2.3 in JSON, from what dpkg knows of the libraries."""

import hashlib
import json
import os
import re
import subprocess

# Libraries of headers alone: they are compiled into the programs, so no file shows them.
COMPILED_IN = ("libcli11-dev", "libspdlog-dev")

_FIELDS = ("Package", "Version", "Architecture", "source:Package", "source:Version")


def _dpkg(*arguments, check=True):
    return subprocess.run(["dpkg-query", *arguments], check=check, capture_output=True,
                          text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout


def owners(paths):
    """Path -> the Debian package that brought it, for real paths below /usr."""
    # A package may still name its files by the old folder, /lib instead of /usr/lib.
    asked = [*paths, *(path.removeprefix("/usr") for path in paths)]
    found = {}
    for line in _dpkg("-S", *asked, check=False).splitlines():
        package, _, path = line.rpartition(": ")
        if not line.startswith("diversion by"):
            found[path if path.startswith("/usr/") else "/usr" + path] = package.split(",")[0]
    if unknown := sorted(set(paths) - set(found)):
        raise SystemExit("no Debian package holds: " + " ".join(unknown))
    return {path: found[path] for path in paths}


def _spdx_id(*parts):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", "-".join(parts))


def _package(name):
    line = _dpkg("-W", "-f", "\\t".join(f"${{{field}}}" for field in _FIELDS), name)
    package, version, architecture, source, source_version = line.split("\t")
    return {
        "SPDXID": _spdx_id("Package", package),
        "name": package,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "comment": f"licence: /usr/share/doc/{package}/copyright in the image",
        "sourceInfo": f"built from {source} {source_version}",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{package}@{version.replace('+', '%2B')}"
                                f"?arch={architecture}",
        }],
    }


def _file(path, data):
    return {
        "SPDXID": _spdx_id("File", path),
        "fileName": "." + path,
        "checksums": [{"algorithm": kind, "checksumValue": hashlib.new(kind, data).hexdigest()}
                      for kind in ("SHA1", "SHA256")],
        "licenseConcluded": "NOASSERTION",
        "licenseInfoInFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
    }


def _relation(left, kind, right):
    return {"spdxElementId": left, "relationshipType": kind, "relatedSpdxElement": right}


def copyright_files(packages):
    """Path in the image -> content: the notices that the libraries' licences ask us to pass on."""
    result = {}
    for name in sorted({package.split(":")[0] for package in packages}):
        path = os.path.realpath(f"/usr/share/doc/{name}/copyright")
        if not os.path.exists(path):  # a container's dpkg may be told to leave /usr/share/doc out
            continue
        with open(path, "rb") as file:
            result[f"usr/share/doc/{name}/copyright"] = file.read()
    return result


def make(name, version, created, entries, library_owners):
    """The document. `entries` are the image's; `library_owners`: path in it -> Debian package."""
    main = {
        "SPDXID": _spdx_id("Image", name), "name": name, "versionInfo": version,
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION", "primaryPackagePurpose": "CONTAINER",
    }
    packages = {package: _package(package)
                for package in sorted({*library_owners.values(), *COMPILED_IN})}
    relations = [_relation("SPDXRef-DOCUMENT", "DESCRIBES", main["SPDXID"])]
    for package, described in packages.items():
        kind = "STATIC_LINK" if package in COMPILED_IN else "DYNAMIC_LINK"
        relations.append(_relation(main["SPDXID"], kind, described["SPDXID"]))

    files = []
    for path in sorted(path for path in entries if path.startswith(("usr/bin/", "usr/lib"))):
        if entries[path].data is None:
            continue
        files.append(_file("/" + path, entries[path].data))
        owner = library_owners.get("/" + path)
        holder = packages[owner] if owner else main
        relations.append(_relation(holder["SPDXID"], "CONTAINS", files[-1]["SPDXID"]))

    digest = hashlib.sha256(json.dumps([main, packages, files]).encode()).hexdigest()
    return json.dumps({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}-{version}",
        "documentNamespace": f"https://handfast.dev/spdx/{name}/{digest}",
        "creationInfo": {"created": created, "creators": ["Tool: handfast-deploy-image"]},
        "packages": [main, *packages.values()], "files": files, "relationships": relations,
    }, indent=1, sort_keys=True).encode() + b"\n"
