// The small page that `handshake ladder` and `handshake walk` serve, and what `walk --http` asks
// for: HTTP/1.1 in its fewest words, over records that are protected here with released keys.
#ifndef HANDFAST_CLIENT_CLI_PAGE_H_
#define HANDFAST_CLIENT_CLI_PAGE_H_

#include <string>

#include "client/core/record_layer.h"
#include "handfast/v1/handshake.pb.h"
#include "tls/base/bytes.h"

namespace handfast::cli {

// Reads a request of any kind, answers with what was negotiated, and waits for the client to go.
// `stream`: what came from the peer behind the handshake.
void AnswerPage(int fd, client::RecordLayer& records, tls::Bytes stream,
                const v1::Established& established);

struct Fetched {
  std::string status_line;  // "HTTP/1.1 200 OK"
  std::string error;        // why there is none
};
// Asks for "/", and takes the first line of the answer.
Fetched FetchPage(int fd, client::RecordLayer& records, tls::Bytes stream,
                  const std::string& server_name);

}  // namespace handfast::cli

#endif  // HANDFAST_CLIENT_CLI_PAGE_H_
