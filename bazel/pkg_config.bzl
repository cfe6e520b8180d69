"""The system's libraries, as the repository `@system`.

One `cc_library` per entry of `_LIBRARIES`. Flags come from pkg-config, or are given here for the
few libraries that ship no .pc file. Nothing is downloaded, and no version is pinned beyond the
least one that the code needs.
"""

def _library(package, modules = [], least = "", headers = [], linkopts = [], tests_only = False):
    """Describes one system library.

    Args:
      package: the Debian package to install when it is missing.
      modules: pkg-config modules; the first is the one whose version is checked.
      least: the lowest version of that module known to work.
      headers: for a library without a .pc file, headers whose presence shows that it is there.
      linkopts: for a library without a .pc file, what to link.
      tests_only: where it is missing, only the targets that use it fail to build: whoever wants
        the programs alone need not install what tests compare them with.
    """
    return struct(
        package = package,
        modules = modules,
        least = least,
        headers = headers,
        linkopts = linkopts,
        tests_only = tests_only,
    )

_LIBRARIES = {
    "absl_containers": _library("libabsl-dev", ["absl_flat_hash_map", "absl_flat_hash_set"], "20220623"),
    "absl_status": _library("libabsl-dev", ["absl_status", "absl_statusor"], "20220623"),
    "absl_strings": _library("libabsl-dev", ["absl_strings", "absl_str_format"], "20220623"),
    "absl_sync": _library("libabsl-dev", ["absl_synchronization"], "20220623"),
    "absl_time": _library("libabsl-dev", ["absl_time"], "20220623"),
    # Its headers are called as OpenSSL's, and its libraries too.
    "boringssl": _library(
        "android-libboringssl-dev",
        headers = ["android/openssl/ssl.h"],
        linkopts = [
            "-I/usr/include/android",
            "-L/usr/lib/x86_64-linux-gnu/android",
            "-Wl,-rpath,/usr/lib/x86_64-linux-gnu/android",
            "-l:libssl.so.0",
            "-l:libcrypto.so.0",
        ],
        tests_only = True,
    ),
    "civetweb": _library("libcivetweb-dev", headers = ["civetweb.h"], linkopts = ["-lcivetweb"]),
    "cli11": _library("libcli11-dev", ["CLI11"], "2.1"),
    "crypto": _library("libssl-dev", ["libcrypto"], "3.0"),
    # grpc.pc carries the core's version (29.0.0); grpc++.pc the one that people know.
    "grpc++": _library("libgrpc++-dev", ["grpc++", "protobuf"], "1.51"),
    "grpc++_reflection": _library(
        "libgrpc++-dev",
        headers = ["grpcpp/ext/proto_server_reflection_plugin.h"],
        linkopts = ["-lgrpc++_reflection"],
    ),
    "gtest": _library("libgmock-dev", ["gmock", "gtest"], "1.12"),
    "gtest_main": _library("libgmock-dev", ["gmock_main", "gmock", "gtest"], "1.12"),
    "hiredis": _library("libhiredis-dev", ["hiredis"], "0.14"),
    "json": _library("nlohmann-json3-dev", ["nlohmann_json"], "3.11", tests_only = True),
    "mbedtls": _library(
        "libmbedtls-dev",
        headers = ["mbedtls/ssl.h"],
        linkopts = ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"],
        tests_only = True,
    ),
    "prometheus": _library("prometheus-cpp-dev", ["prometheus-cpp-core"], "1.0"),
    "protobuf": _library("libprotobuf-dev", ["protobuf"], "3.21"),
    "spdlog": _library("libspdlog-dev", ["spdlog"], "1.10"),
    "sqlite3": _library("libsqlite3-dev", ["sqlite3"], "3.40"),
    # For the interop peers and benchmarks in tests/ alone: tests/tidy refuses it elsewhere.
    "ssl": _library("libssl-dev", ["libssl", "libcrypto"], "3.0"),
    "wolfssl": _library("libwolfssl-dev", ["wolfssl"], "5.5", tests_only = True),
    "yaml-cpp": _library("libyaml-cpp-dev", ["yaml-cpp"], "0.7"),
}

# Where headers without a .pc file are looked for.
_INCLUDE_FOLDERS = ["/usr/include", "/usr/local/include"]

# Programs that genrules call by name.
_PROGRAMS = {
    "grpc_cpp_plugin": "protobuf-compiler-grpc",
    "protoc": "protobuf-compiler",
}

_LIBRARY_RULE = """
cc_library(
    name = {name},
    hdrs = glob({headers}),
    defines = {defines},
    includes = {includes},
    linkopts = {linkopts},
)
"""

# Stands for a missing library that only tests use: building it says what to install.
_MISSING_RULE = """
genrule(
    name = {generated},
    outs = [{header}],
    cmd = "echo 'Missing: install {package}' >&2; exit 1",
)

cc_library(
    name = {name},
    hdrs = [{header}],
)
"""

def _is_present(ctx, library):
    if library.modules:
        check = ["pkg-config", "--atleast-version=" + library.least, library.modules[0]]
        return ctx.execute(check).return_code == 0
    return all([
        any([ctx.path(folder + "/" + header).exists for folder in _INCLUDE_FOLDERS])
        for header in library.headers
    ])

def _flags(ctx, library):
    if not library.modules:
        return library.linkopts
    result = ctx.execute(["pkg-config", "--cflags", "--libs"] + library.modules)
    if result.return_code != 0:
        fail("\npkg-config %s: %s" % (" ".join(library.modules), result.stderr))
    return [flag for flag in result.stdout.replace("\n", " ").split(" ") if flag]

def _rule(ctx, name, library):
    defines = []
    includes = []

    # A library named here but not used must not become a dependency of the binary: the process
    # that serves would otherwise load, say, all of abseil's flags.
    linkopts = ["-Wl,--as-needed"]
    for flag in _flags(ctx, library):
        if flag.startswith("-D"):
            defines.append(flag[2:])
        elif flag.startswith("-I"):
            # Bazel takes no absolute include folder outside the compiler's own.
            folder = "include/%s/%d" % (name, len(includes))
            ctx.symlink(flag[2:], folder)
            includes.append(folder)
        else:
            linkopts.append(flag)
    return _LIBRARY_RULE.format(
        name = repr(name),
        headers = repr([folder + "/**/*.h*" for folder in includes]),
        defines = repr(defines),
        includes = repr(includes),
        linkopts = repr(linkopts),
    )

def _missing(ctx):
    if not ctx.which("pkg-config"):
        return {"pkg-config": ["pkg-config"]}
    missing = {}
    for program, package in _PROGRAMS.items():
        if not ctx.which(program):
            missing.setdefault(package, []).append(program)
    for name, library in _LIBRARIES.items():
        if not library.tests_only and not _is_present(ctx, library):
            wanted = name + (" >= " + library.least if library.least else "")
            missing.setdefault(library.package, []).append(wanted)
    return missing

def _impl(ctx):
    missing = _missing(ctx)
    if missing:
        lines = ["  %s (for %s)" % (package, ", ".join(names)) for package, names in missing.items()]
        fail("\n\nThese packages are missing or too old:\n%s\n\nRun ./dev setup, or: apt-get install %s\n" %
             ("\n".join(lines), " ".join(missing.keys())))

    rules = ["package(default_visibility = [\"//visibility:public\"])\n"]
    for name, library in _LIBRARIES.items():
        if library.tests_only and not _is_present(ctx, library):
            rules.append(_MISSING_RULE.format(
                name = repr(name),
                generated = repr(name + "_missing"),
                header = repr(name + "_missing.h"),
                package = library.package,
            ))
        else:
            rules.append(_rule(ctx, name, library))
    ctx.file("BUILD", "".join(rules))
    ctx.file("WORKSPACE", "workspace(name = %r)\n" % ctx.name)

system_libraries = repository_rule(
    implementation = _impl,
    doc = "Declares the system's libraries; fails with the list of packages to install.",
    configure = True,
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)
