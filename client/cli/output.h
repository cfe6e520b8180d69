// Tables for people, JSON for programs.
#ifndef HANDFAST_CLIENT_CLI_OUTPUT_H_
#define HANDFAST_CLIENT_CLI_OUTPUT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace google::protobuf {
class Message;
}

namespace handfast::cli {

// Columns as wide as they need, two spaces between them.
void PrintTable(const std::vector<std::string>& head,
                const std::vector<std::vector<std::string>>& rows);
// "name: value" lines.
void PrintFields(const std::vector<std::pair<std::string, std::string>>& fields);
// The protobuf JSON of a reply without secrets.
void PrintJson(const google::protobuf::Message& message);
// The same in one line, without its end.
std::string JsonLine(const google::protobuf::Message& message);
// With its quotes.
std::string JsonString(const std::string& text);
// A drawing, and out at once: somebody watches.
void PrintLines(const std::vector<std::string>& lines);

// "2026-03-01 12:00"; "-" for 0.
std::string TimeText(int64_t seconds);

}  // namespace handfast::cli

#endif  // HANDFAST_CLIENT_CLI_OUTPUT_H_
