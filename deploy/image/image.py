#!/usr/bin/env python3
"""Makes one OCI image from built programs, without an engine, a network or root.

Writes the layout folder NAME and the bill of materials NAME.spdx.json (which is in the image as
well) below OUT, and prints the image's digest.
"""

import argparse
import datetime
import os
import platform
import shutil
import sys

sys.dont_write_bytecode = True  # no __pycache__ in the source tree
import layout  # noqa: E402  (set first)
import rootfs  # noqa: E402
import sbom  # noqa: E402

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # the kernel's word -> OCI's
SBOM_PATH = "usr/share/sbom/{}.spdx.json"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder for the result")
    parser.add_argument("--name", required=True, help="the image's name: handfastd")
    parser.add_argument("--tag", required=True, help="its tag, and the version in its labels")
    parser.add_argument("--license", required=True, help="our own licence, to go in")
    parser.add_argument("program", nargs="+", help="paths; the first is the entry point")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    # Reproducible builds: the time is an input (reproducible-builds.org/specs/source-date-epoch).
    time = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    created = datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")

    entries, libraries = rootfs.collect(arguments.program)
    by_real_path = sbom.owners(sorted(set(libraries.values())))
    library_owners = {inside: by_real_path[here] for inside, here in libraries.items()}
    bill = sbom.make(arguments.name, arguments.tag, created, entries, library_owners)

    with open(arguments.license, "rb") as file:
        rootfs.add_file(entries, "usr/share/doc/handfast/copyright", file.read())
    for path, data in sbom.copyright_files({*library_owners.values(), *sbom.COMPILED_IN}).items():
        rootfs.add_file(entries, path, data)
    rootfs.add_file(entries, SBOM_PATH.format(arguments.name), bill)

    folder = os.path.join(arguments.out, arguments.name)
    shutil.rmtree(folder, ignore_errors=True)
    digest = layout.Layout(folder).write(
        layout.layer(entries, time), arguments.tag, ARCHITECTURES[platform.machine()], created, {
            "User": f"{rootfs.UID}:{rootfs.UID}",
            "Entrypoint": ["/usr/bin/" + os.path.basename(arguments.program[0])],
            "Env": ["PATH=/usr/bin", "HANDFAST_STATE_DIR=/var/lib/handfast"],
            "WorkingDir": "/var/lib/handfast",
            "StopSignal": "SIGTERM",
            "Labels": {
                "org.opencontainers.image.title": arguments.name,
                "org.opencontainers.image.version": arguments.tag,
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        })
    with open(os.path.join(arguments.out, arguments.name + ".spdx.json"), "wb") as file:
        file.write(bill)
    print(arguments.name, digest)


if __name__ == "__main__":
    main()
