#include "server/observe/log_line.h"

#include <charconv>
#include <cmath>
#include <ctime>

namespace handfast::observe {
namespace {

constexpr std::string_view kCutMark = "...";
constexpr uint32_t kNoCharacter = 0xffffffff;

// The UTF-8 character at the front of `text`, taken off it; kNoCharacter for a byte that begins
// none (then one byte is taken): overlong forms, surrogates and beyond U+10FFFF are none.
uint32_t TakeCharacter(std::string_view& text) {
  const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first > 0xf4 || size == 0 || size > text.size()) {
    text.remove_prefix(1);
    return kNoCharacter;
  }
  constexpr uint8_t kFirstMask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t character = first & kFirstMask[size];
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      text.remove_prefix(1);
      return kNoCharacter;
    }
    character = character << 6 | (byte(i) & 0x3fU);
  }
  const bool overlong = (size == 3 && character < 0x800) || (size == 4 && character < 0x10000);
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  if (overlong || surrogate || character > 0x10ffff) {
    text.remove_prefix(1);
    return kNoCharacter;
  }
  text.remove_prefix(size);
  return character;
}

// What could end a line, steer a terminal or reorder what stands on it: controls of both sets,
// line and paragraph separators, marks of direction.
bool IsUnsafe(uint32_t character) {
  return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
         (character >= 0x200b && character <= 0x200f) ||
         (character >= 0x2028 && character <= 0x202e) ||
         (character >= 0x2060 && character <= 0x206f) || character == 0xfeff;
}

void AppendEscape(std::string& out, uint32_t character) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[character >> shift & 0xf];
}

// In double quotes, as a JSON string. Both forms of line use it.
void AppendQuoted(std::string& out, std::string_view text) {
  const bool cut = text.size() > kMaxFieldBytes;
  text = text.substr(0, kMaxFieldBytes);
  // Not in the middle of a character: take off its continuation bytes, and its first byte.
  if (cut) {
    size_t size = text.size();
    while (size > 0 && text.size() - size < 4 && (text[size - 1] & 0xc0) == 0x80) --size;
    if (size > 0 && (static_cast<uint8_t>(text[size - 1]) & 0xc0) == 0xc0) {
      text = text.substr(0, size - 1);
    }
  }
  out += '"';
  while (!text.empty()) {
    const std::string_view before = text;
    const uint32_t character = TakeCharacter(text);
    if (character == kNoCharacter) {
      out += "\\ufffd";
    } else if (character == '"' || character == '\\') {
      out += '\\';
      out += static_cast<char>(character);
    } else if (IsUnsafe(character)) {
      AppendEscape(out, character);
    } else {
      out += before.substr(0, before.size() - text.size());
    }
  }
  if (cut) out += kCutMark;
  out += '"';
}

template <class N>
void AppendNumber(std::string& out, N number) {
  char digits[32];
  const auto result = std::to_chars(digits, digits + sizeof(digits), number);
  out.append(digits, result.ptr);
}

void AppendValue(std::string& out, const Field::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    AppendQuoted(out, *text);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* real = std::get_if<double>(&value)) {
    // JSON has no infinity and no NaN.
    std::isfinite(*real) ? AppendNumber(out, *real) : void(out += "null");
  } else if (const auto* number = std::get_if<int64_t>(&value)) {
    AppendNumber(out, *number);
  } else {
    AppendNumber(out, std::get<uint64_t>(value));
  }
}

// RFC 3339 in UTC with milliseconds.
std::string TimeText(double unix_s) {
  const double whole = std::floor(unix_s);
  const auto seconds = static_cast<std::time_t>(whole);
  const int milliseconds = static_cast<int>((unix_s - whole) * 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  const size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
  std::string out(text, size);
  const std::string digits = std::to_string(1000 + milliseconds);
  return out.append(".").append(digits, 1).append("Z");
}

bool NeedsQuotes(std::string_view text) {
  return text.empty() || text.size() > kMaxFieldBytes ||
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "-_./:@") != std::string_view::npos;
}

}  // namespace

std::string_view Name(Level level) {
  constexpr std::string_view kNames[] = {"trace", "debug", "info", "warning", "error"};
  return kNames[static_cast<size_t>(level)];
}

std::string JsonLine(const LogLine& line) {
  std::string out = "{\"time\":\"" + TimeText(line.time_unix_s) + "\",\"level\":\"";
  out.append(Name(line.level)).append("\",\"msg\":");
  AppendQuoted(out, line.message);
  out += ",\"component\":";
  AppendQuoted(out, line.component);
  for (const Field& field : line.fields) {
    out += ',';
    AppendQuoted(out, field.key());
    out += ':';
    AppendValue(out, field.value());
  }
  if (line.held_back > 0) {
    out += ",\"held_back\":";
    AppendNumber(out, line.held_back);
  }
  out += '}';
  return out;
}

std::string TextLine(const LogLine& line) {
  std::string out = TimeText(line.time_unix_s);
  out.append(" ").append(Name(line.level)).append(" ").append(line.component).append(": ");
  out += line.message;
  for (const Field& field : line.fields) {
    out.append(" ").append(field.key()).append("=");
    const auto* text = std::get_if<std::string_view>(&field.value());
    if (text != nullptr && !NeedsQuotes(*text)) {
      out += *text;
    } else {
      AppendValue(out, field.value());
    }
  }
  if (line.held_back > 0) {
    out += " held_back=";
    AppendNumber(out, line.held_back);
  }
  return out;
}

}  // namespace handfast::observe
