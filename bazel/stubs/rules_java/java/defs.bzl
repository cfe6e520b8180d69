# Re-exports the native rules that ship inside Bazel 4.2 to 6.
java_library = native.java_library
java_binary = native.java_binary
java_import = native.java_import
java_toolchain = native.java_toolchain
java_runtime = native.java_runtime
java_package_configuration = native.java_package_configuration
