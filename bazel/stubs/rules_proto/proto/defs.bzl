# Re-exports the native rules that ship inside Bazel 4.2 to 6.
proto_library = native.proto_library
proto_lang_toolchain = native.proto_lang_toolchain
