#include "server/config/mistakes.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace handfast::config {
namespace {

// A quoted value tells which one it is; the document has the rest.
constexpr size_t kMaxQuoted = 60;

// Levenshtein: insertions, deletions and replacements of a character.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

}  // namespace

Place Places::Find(std::string_view path) const {
  for (;;) {
    const auto found = by_path_.find(path);
    if (found != by_path_.end()) return found->second;
    if (path.empty()) return {};
    const size_t end = path.find_last_of(".[");
    path = end == std::string_view::npos ? std::string_view() : path.substr(0, end);
  }
}

void Mistakes::Add(const Place& place, std::string words) {
  found_.push_back({place, std::move(words)});
}

absl::Status Mistakes::ToStatus() const {
  if (found_.empty()) return absl::OkStatus();
  std::vector<Mistake> sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Mistake& a, const Mistake& b) { return a.place.line < b.place.line; });
  std::vector<std::string> lines;
  for (const Mistake& mistake : sorted) {
    if (lines.size() == kMaxMistakes) {
      lines.push_back(absl::StrCat("and ", sorted.size() - kMaxMistakes, " more"));
      break;
    }
    const Place& place = mistake.place;
    lines.push_back(place.line > 0
                        ? absl::StrCat(place.source, ":", place.line, ": ", mistake.words)
                        : absl::StrCat(place.source, ": ", mistake.words));
  }
  return absl::InvalidArgumentError(absl::StrJoin(lines, "\n"));
}

std::string Nearest(std::string_view word, std::span<const std::string> known) {
  std::string nearest;
  // A third of the letters may be wrong, and two of a short word.
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string Hint(std::string_view word, std::span<const std::string> known) {
  const std::string nearest = Nearest(word, known);
  if (!nearest.empty()) return absl::StrCat("; did you mean `", nearest, "`?");
  if (known.empty()) return "; there are none";
  return absl::StrCat("; known are ", absl::StrJoin(known, ", "));
}

std::string Quote(std::string_view text) {
  std::string out = "`";
  for (const char c : text.substr(0, kMaxQuoted)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  if (text.size() > kMaxQuoted) out += "...";
  return out + "`";
}

}  // namespace handfast::config
