#include "tests/interop/cell.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace handfast::tls::test {
namespace {

constexpr size_t kRowWidth = 30;
constexpr size_t kCellWidth = 9;

constexpr char kLegend[] =
    "none: no certificate is asked for; opt: it may be left out, and is shown; opt-: it may be "
    "left\n"
    "out, and is; req: it must be shown, and is; req-: it must be shown, and is not. resumed: a\n"
    "session of a handshake before it; +req: in which a certificate was shown. retry: over a\n"
    "HelloRetryRequest. alpn: a protocol agreed on. refused: as it should be.\n";

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string WordOf(Auth auth) {
  switch (auth) {
    case Auth::kNone:
      return "None";
    case Auth::kOptionalWith:
      return "OptionalWith";
    case Auth::kOptionalWithout:
      return "OptionalWithout";
    case Auth::kRequiredWith:
      return "RequiredWith";
    case Auth::kRequiredWithout:
      return "RequiredWithout";
  }
  return "";
}

std::string WordOf(Way way) {
  switch (way) {
    case Way::kFull:
      return "";
    case Way::kResumed:
      return "_Resumed";
    case Way::kRetry:
      return "_Retry";
    case Way::kAlpn:
      return "_Alpn";
  }
  return "";
}

// Under `bazel run` the source tree is named; else the runfile is a link into it.
std::filesystem::path ToWrite(const std::string& path) {
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace != nullptr) return std::filesystem::path(workspace) / path;
  return std::filesystem::canonical(path);
}

}  // namespace

std::span<const Stack> PeersOf(Role role) {
  if (role == Role::kServer) return kClients;
  return kServers;
}

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
    case Stack::kWolfssl:
      return "wolfssl";
    case Stack::kBoringssl:
      return "boringssl";
    case Stack::kJsse:
      return "jsse";
    case Stack::kNginx:
      return "nginx";
    case Stack::kHaproxy:
      return "haproxy";
  }
  return "";
}

std::string_view Name(Column column) {
  switch (column.way) {
    case Way::kResumed:
      return column.auth == Auth::kNone ? "resumed" : "+req";
    case Way::kRetry:
      return "retry";
    case Way::kAlpn:
      return "alpn";
    case Way::kFull:
      break;
  }
  switch (column.auth) {
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
                     std::string(Name(cell.key)) + "_" + WordOf(cell.auth) + WordOf(cell.way);
  std::erase_if(name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; });
  return name;
}

bool MayLeaveOut(Auth auth) {
  return auth == Auth::kOptionalWith || auth == Auth::kOptionalWithout;
}

bool Shows(Auth auth) { return auth == Auth::kOptionalWith || auth == Auth::kRequiredWith; }

std::vector<Cell> AllCells(Role role) {
  std::vector<Cell> cells;
  for (Stack stack : PeersOf(role)) {
    for (ProtocolVersion version : kVersions) {
      for (KeyType key : kKeyTypes) {
        for (const Column& column : kColumns) {
          cells.push_back({stack, version, key, column.auth, column.way, role});
        }
      }
    }
  }
  return cells;
}

std::string Render(Role role, const std::function<std::string(const Cell&)>& outcome) {
  std::vector<std::string> lines = {Padded("", kRowWidth)};
  for (const Column& column : kColumns) {
    lines[0] += Padded(std::string(Name(column)), kCellWidth);
  }
  std::vector<std::string_view> reasons;
  size_t in_row = 0;
  for (const Cell& cell : AllCells(role)) {
    if (in_row++ % std::size(kColumns) == 0) {
      const std::string row = std::string(Name(cell.stack)) + " " + Name(cell.version) + " " +
                              std::string(Name(cell.key));
      lines.push_back(Padded(row, kRowWidth));
    }
    std::string word;
    if (const Lack* lack = Lacking(cell); lack == nullptr) {
      word = outcome(cell);
    } else {
      auto known = std::find(reasons.begin(), reasons.end(), lack->reason);
      if (known == reasons.end()) known = reasons.insert(known, lack->reason);
      word = "[" + std::to_string(known - reasons.begin() + 1) + "]";
    }
    lines.back() += Padded(word, kCellWidth);
  }
  std::string text =
      role == Role::kServer ? "Our server, their clients.\n\n" : "Our client, their servers.\n\n";
  for (std::string& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  text += std::string("\n") + kLegend;
  for (size_t i = 0; i < reasons.size(); ++i) {
    text += "[" + std::to_string(i + 1) + "] lacking: " + std::string(reasons[i]) + "\n";
  }
  return text;
}

std::string CompareMatrix(const std::string& matrix, const std::string& path) {
  std::cout << matrix;
  if (std::getenv("HANDFAST_REWRITE") != nullptr) {
    std::ofstream(ToWrite(path)) << matrix;
    return "";
  }
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  if (golden.str() == matrix) return "";
  return "not as in " + path + ", which HANDFAST_REWRITE=1 rewrites:\n" + golden.str();
}

}  // namespace handfast::tls::test
