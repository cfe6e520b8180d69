// Where settings came from, and what is wrong with them. Every mistake names its place, and all of
// them are told at once.
#ifndef HANDFAST_SERVER_CONFIG_MISTAKES_H_
#define HANDFAST_SERVER_CONFIG_MISTAKES_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace handfast::config {

// More would scroll the first one away.
inline constexpr size_t kMaxMistakes = 20;

struct Place {
  std::string source;  // a file's name, a variable, a flag
  int line = 0;        // from 1; 0: the source has no lines
};

// The place of each setting by its path: "listeners[0].tcp.address".
class Places {
 public:
  void Set(std::string path, Place place) { by_path_[std::move(path)] = std::move(place); }
  // Of the setting, or of the nearest thing around it that has a place.
  Place Find(std::string_view path) const;

 private:
  std::map<std::string, Place, std::less<>> by_path_;
};

class Mistakes {
 public:
  void Add(const Place& place, std::string words);
  bool empty() const { return found_.empty(); }
  // OK, or INVALID_ARGUMENT with a line each, in the order of the lines: "handfast.yaml:12: ...".
  absl::Status ToStatus() const;

 private:
  struct Mistake {
    Place place;
    std::string words;
  };
  std::vector<Mistake> found_;
};

// The known word that was probably meant; empty where none is near.
std::string Nearest(std::string_view word, std::span<const std::string> known);

// "; did you mean `address`?", or "; known are a, b, c".
std::string Hint(std::string_view word, std::span<const std::string> known);

// What was written, for a message: in back quotes, cut, without control characters.
std::string Quote(std::string_view text);

}  // namespace handfast::config

#endif  // HANDFAST_SERVER_CONFIG_MISTAKES_H_
