// Comparison with a file of tests/testdata, which the test rewrites when it is told to: see
// README.md.
#ifndef HANDFAST_TESTS_TESTDATA_GOLDEN_H_
#define HANDFAST_TESTS_TESTDATA_GOLDEN_H_

#include <optional>
#include <string>

namespace handfast::test {

// Fails the running test where tests/testdata/`name` does not hold `text`, and shows the first
// line that differs.
void ExpectGolden(const std::string& name, const std::string& text);

// The test was told to.
bool RewriteWanted();

// Nullopt where there is no such file.
std::optional<std::string> ReadGolden(const std::string& name);

// The first difference, for people; empty where there is none.
std::string FirstDifference(const std::string& expected, const std::string& actual);

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_TESTDATA_GOLDEN_H_
