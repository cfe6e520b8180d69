// What is looked at: code of the product, run over secrets. Both tests of this folder, that under
// memcheck and that with a clock, run the same subjects.
#ifndef HANDFAST_TESTS_CONSTANT_TIME_SUBJECT_H_
#define HANDFAST_TESTS_CONSTANT_TIME_SUBJECT_H_

#include <string_view>
#include <vector>

namespace handfast::constant_time {

struct Subject {
  // Those named "control_..." leak, and must be found out.
  std::string_view name;
  // Poisons its secrets and runs; false where the result is wrong.
  bool (*run)();
};

const std::vector<Subject>& Subjects();

}  // namespace handfast::constant_time

#endif  // HANDFAST_TESTS_CONSTANT_TIME_SUBJECT_H_
