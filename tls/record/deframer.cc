#include "tls/record/deframer.h"

#include "tls/record/protection.h"

namespace handfast::tls {
namespace {

bool IsContentType(uint8_t byte) {
  return byte >= static_cast<uint8_t>(ContentType::kChangeCipherSpec) &&
         byte <= static_cast<uint8_t>(ContentType::kApplicationData);
}

}  // namespace

Result<std::optional<RecordHeader>> PeekRecord(ByteView stream, bool first_record,
                                               size_t max_ciphertext) {
  if (stream.empty()) return std::optional<RecordHeader>();
  // A peer that speaks TLS begins with a handshake record, or gives up with an alert. Anything
  // else (HTTP, an SSLv2 hello) is told apart by its first byte and gets no alert.
  // RFC 8446 §D.5: "The security of SSL 2.0 [SSL2] is considered insufficient for the reasons
  // enumerated in [RFC6176], and it MUST NOT be negotiated for any reason." And: "Implementations
  // MUST NOT negotiate TLS 1.3 or later using an SSL version 2.0 compatible CLIENT-HELLO."
  if (first_record && stream[0] != static_cast<uint8_t>(ContentType::kHandshake) &&
      stream[0] != static_cast<uint8_t>(ContentType::kAlert)) {
    return IsContentType(stream[0]) ? Reason::kUnexpectedMessage : Reason::kNotTls;
  }
  // RFC 8446 §5: "If a TLS implementation receives an unexpected record type, it MUST terminate
  // the connection with an "unexpected_message" alert."
  // RFC 5246 §6: "If a TLS implementation receives an unexpected record type, it MUST send an
  // unexpected_message alert."
  if (!IsContentType(stream[0])) return Reason::kBadRecordType;
  // RFC 8446 §5.1: "This field is deprecated and MUST be ignored for all purposes." §D: "The value
  // of TLSPlaintext.legacy_record_version MUST be ignored by all implementations." §D.2: "Servers
  // will receive various TLS 1.x versions in this field, but its value MUST always be ignored." RFC
  // 5246 §E.1: "Thus, TLS servers compliant with this specification MUST accept any value {03,XX}
  // as the record layer version number for ClientHello."
  if (stream.size() < kRecordHeaderSize) return std::optional<RecordHeader>();
  RecordHeader header;
  header.type = static_cast<ContentType>(stream[0]);
  header.version = static_cast<uint16_t>(stream[1] << 8 | stream[2]);
  header.length = static_cast<uint16_t>(stream[3] << 8 | stream[4]);
  // RFC 8446 §5.2: "An endpoint that receives a record that exceeds this length MUST terminate the
  // connection with a "record_overflow" alert."
  // RFC 8446 §5.2: "An endpoint that receives a record from its peer with TLSCiphertext.length
  // larger than 2^14 + 256 octets MUST terminate the connection with a "record_overflow" alert."
  if (header.length > max_ciphertext) return Reason::kRecordOverflow;
  return std::optional<RecordHeader>(header);
}

}  // namespace handfast::tls
