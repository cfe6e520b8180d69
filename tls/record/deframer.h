// Cuts a byte stream into records. It judges headers only: is this TLS at all, is the length legal.
#ifndef HANDFAST_TLS_RECORD_DEFRAMER_H_
#define HANDFAST_TLS_RECORD_DEFRAMER_H_

#include <optional>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/base/result.h"
#include "tls/record/protection.h"

namespace handfast::tls {

struct RecordHeader {
  ContentType type{};
  uint16_t version = 0;
  uint16_t length = 0;  // of the body
};

// What the first bytes of a stream are. `first_record`: nothing came before on this connection.
// Nullopt: too few bytes to tell. kNotTls, kBadRecordType, kRecordOverflow.
// `max_ciphertext`: RecordOpener::max_ciphertext, where the keys may be those of AES-CBC.
Result<std::optional<RecordHeader>> PeekRecord(ByteView stream, bool first_record,
                                               size_t max_ciphertext = kMaxCiphertext);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_RECORD_DEFRAMER_H_
