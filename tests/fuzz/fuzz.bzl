"""Fuzz targets: a program that libFuzzer drives in the asan configuration, and a test of it."""

def fuzz_target(name, runs, properties, deps):
    """A target of <name>.cc, and <name>_test, which runs a bounded and repeatable slice of it.

    The test replays the corpus and, under libFuzzer, goes on to `runs` inputs from a fixed seed;
    then it breaks each property in turn, and the corpus must show it.

    Args:
      name: the target; its corpus is corpus/<name>/.
      runs: how many inputs are tried, the corpus included: some seconds' worth.
      properties: what the target asks for with Require.
      deps: of <name>.cc.
    """
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = [name + ".cc"],
        deps = [":driver"] + deps,
    )
    native.filegroup(
        name = name + "_corpus",
        srcs = native.glob(["corpus/%s/*" % name]),
    )
    native.sh_test(
        name = name + "_test",
        size = "medium",
        srcs = ["fuzz.py"],
        args = [
            "slice",
            "--runs=%d" % runs,
            "--properties=" + ",".join(properties),
            "$(rootpath :%s)" % name,
            "tests/fuzz/corpus/" + name,
        ],
        data = [
            "seeds.py",
            ":" + name,
            ":%s_corpus" % name,
        ],
        tags = ["asan"],
    )
