"""C++ from .proto files, with the system's protoc: `cc_proto` and `cc_grpc_proto`.

Files below proto/ include and import each other by the path below it:
`import "handfast/v1/keys.proto";` and `#include "handfast/v1/keys.pb.h"`.
"""

_MESSAGE_OUTPUTS = [".pb.h", ".pb.cc"]
_SERVICE_OUTPUTS = [".grpc.pb.h", ".grpc.pb.cc"]

# Every target made here has a companion of this name: its .proto files and those of its deps.
_FILES_SUFFIX = "_files"

def proto_files(label):
    """Returns the label of the .proto files behind a target made by the macros below."""
    if ":" not in label:
        label = label + ":" + label.split("/")[-1]
    return label + _FILES_SUFFIX

def _cc_proto(name, srcs, deps, services, **kwargs):
    native.filegroup(
        name = name + _FILES_SUFFIX,
        srcs = srcs + [proto_files(dep) for dep in deps],
        visibility = kwargs.get("visibility"),
    )

    extensions = _MESSAGE_OUTPUTS + (_SERVICE_OUTPUTS if services else [])
    outs = [src[:-len(".proto")] + extension for src in srcs for extension in extensions]
    command = ["protoc", "-Iproto", "-I/usr/include", "--cpp_out=$(GENDIR)/proto"]
    if services:
        command += [
            "--plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin)",
            "--grpc_out=$(GENDIR)/proto",
        ]
    native.genrule(
        name = name + "_gen",
        srcs = srcs + [name + _FILES_SUFFIX],
        outs = outs,
        cmd = " ".join(command + ["$(location %s)" % src for src in srcs]),
        message = "Generating C++ from",
    )

    native.cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        strip_include_prefix = "/proto",
        deps = deps + ["@system//:grpc++" if services else "@system//:protobuf"],
        **kwargs
    )

def cc_proto(name, srcs, deps = [], **kwargs):
    """A C++ library of the messages in `srcs`.

    Args:
      name: the library; by custom `<file>_cc_proto`.
      srcs: .proto files of this package.
      deps: targets of these macros, for the files that `srcs` import.
      **kwargs: passed on to the cc_library (visibility, testonly).
    """
    _cc_proto(name, srcs, deps, services = False, **kwargs)

def cc_grpc_proto(name, srcs, deps = [], **kwargs):
    """As `cc_proto`, with the gRPC services too; by custom `<file>_cc_grpc`."""
    _cc_proto(name, srcs, deps, services = True, **kwargs)

def proto_descriptor_set(name, deps, **kwargs):
    """A binary FileDescriptorSet, `<name>.binpb`, of all files behind `deps` and their imports."""
    files = [proto_files(dep) for dep in deps]
    native.genrule(
        name = name,
        srcs = files,
        outs = [name + ".binpb"],
        # A file reached through two deps is listed twice; protoc takes each only once.
        cmd = "protoc -Iproto -I/usr/include --include_imports --descriptor_set_out=$@ " +
              "$$(echo %s | tr ' ' '\\n' | sort -u)" % " ".join(["$(locations %s)" % file for file in files]),
        message = "Describing the contract in",
        **kwargs
    )
