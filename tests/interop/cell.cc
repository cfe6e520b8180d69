#include "tests/interop/cell.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace handfast::tls::test {
namespace {

// A gap covers all versions or keys where none is named.
struct Gap {
  Stack stack;
  std::optional<ProtocolVersion> version;
  std::optional<KeyType> key;
  std::string_view reason;
  Reason failure;
};

constexpr Gap kGaps[] = {
    {Stack::kNss, std::nullopt, KeyType::kEd25519, "NSS 3.87 has no Ed25519 certificates in TLS",
     Reason::kNoCredential},
    {Stack::kMbedtls, ProtocolVersion::kTls13, std::nullopt, "mbedTLS 2.28 has no TLS 1.3",
     Reason::kUnsupportedVersion},
    {Stack::kMbedtls, ProtocolVersion::kTls12, KeyType::kEd25519, "mbedTLS 2.28 has no Ed25519",
     Reason::kNoCredential},
};

bool Covers(const Gap& gap, const Cell& cell) {
  return gap.stack == cell.stack && gap.version.value_or(cell.version) == cell.version &&
         gap.key.value_or(cell.key) == cell.key;
}

const Gap* FindGap(const Cell& cell) {
  const auto covers = [&cell](const Gap& gap) { return Covers(gap, cell); };
  const Gap* gap = std::find_if(std::begin(kGaps), std::end(kGaps), covers);
  return gap == std::end(kGaps) ? nullptr : gap;
}

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

constexpr size_t kRowWidth = 18;
constexpr size_t kCellWidth = 8;

}  // namespace

std::string_view Name(Stack stack) {
  switch (stack) {
    case Stack::kOpenssl:
      return "openssl";
    case Stack::kGnutls:
      return "gnutls";
    case Stack::kCurl:
      return "curl";
    case Stack::kNss:
      return "nss";
    case Stack::kMbedtls:
      return "mbedtls";
  }
  return "";
}

std::string_view Name(Auth auth) {
  switch (auth) {
    case Auth::kNone:
      return "none";
    case Auth::kOptionalWith:
      return "opt";
    case Auth::kOptionalWithout:
      return "opt-";
    case Auth::kRequiredWith:
      return "req";
    case Auth::kRequiredWithout:
      return "req-";
  }
  return "";
}

std::string Name(const Cell& cell) {
  std::string name = std::string(Name(cell.stack)) + "_" + Name(cell.version) + "_" +
                     std::string(Name(cell.key)) + "_";
  switch (cell.auth) {
    case Auth::kNone:
      name += "None";
      break;
    case Auth::kOptionalWith:
      name += "OptionalWith";
      break;
    case Auth::kOptionalWithout:
      name += "OptionalWithout";
      break;
    case Auth::kRequiredWith:
      name += "RequiredWith";
      break;
    case Auth::kRequiredWithout:
      name += "RequiredWithout";
      break;
  }
  std::erase_if(name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; });
  return name;
}

bool MayLeaveOut(Auth auth) {
  return auth == Auth::kOptionalWith || auth == Auth::kOptionalWithout;
}

bool Shows(Auth auth) { return auth == Auth::kOptionalWith || auth == Auth::kRequiredWith; }

std::vector<Cell> AllCells() {
  std::vector<Cell> cells;
  for (Stack stack : kStacks) {
    for (ProtocolVersion version : kVersions) {
      for (KeyType key : kKeyTypes) {
        for (Auth auth : kAuths) cells.push_back({stack, version, key, auth});
      }
    }
  }
  return cells;
}

std::string_view Lacking(const Cell& cell) {
  const Gap* gap = FindGap(cell);
  return gap == nullptr ? std::string_view() : gap->reason;
}

Reason FailureOfLacking(const Cell& cell) { return FindGap(cell)->failure; }

std::string Render(const std::function<std::string(const Cell&)>& outcome) {
  std::string keys = Padded("", kRowWidth);
  std::string auths = keys;
  for (KeyType key : kKeyTypes) {
    keys += Padded(std::string(Name(key)), std::size(kAuths) * kCellWidth);
    for (Auth auth : kAuths) auths += Padded(std::string(Name(auth)), kCellWidth);
  }
  std::vector<std::string> lines = {keys, auths};
  std::vector<std::string_view> reasons;
  for (const Cell& cell : AllCells()) {
    if (cell.key == kKeyTypes[0] && cell.auth == kAuths[0]) {
      lines.push_back(Padded(std::string(Name(cell.stack)) + " " + Name(cell.version), kRowWidth));
    }
    const std::string_view lacking = Lacking(cell);
    std::string word;
    if (lacking.empty()) {
      word = outcome(cell);
    } else {
      auto known = std::find(reasons.begin(), reasons.end(), lacking);
      if (known == reasons.end()) known = reasons.insert(known, lacking);
      word = "[" + std::to_string(known - reasons.begin() + 1) + "]";
    }
    lines.back() += Padded(word, kCellWidth);
  }
  std::string text;
  for (std::string& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  text +=
      "\nnone: no certificate is asked for; opt: it may be left out, and is shown; opt-: it may be "
      "left\nout, and is; req: it must be shown, and is; req-: it must be shown, and is not. "
      "refused: as it\nshould be.\n";
  for (size_t i = 0; i < reasons.size(); ++i) {
    text += "[" + std::to_string(i + 1) + "] lacking: " + std::string(reasons[i]) + "\n";
  }
  return text;
}

}  // namespace handfast::tls::test
