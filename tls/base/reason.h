// Why a handshake or a connection failed. One table gives each reason its alert in either version,
// its metric label and the section that asks for it; nothing else in the product names an alert.
#ifndef HANDFAST_TLS_BASE_REASON_H_
#define HANDFAST_TLS_BASE_REASON_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace handfast::tls {

// RFC 8446 §6 and RFC 5246 §7.2: AlertDescription.
// RFC 5246 §7.2.2: "It MUST NOT be sent by compliant implementations." Three are of older versions,
// and not listed.
enum class Alert : uint8_t {
  kCloseNotify = 0,
  kUnexpectedMessage = 10,
  kBadRecordMac = 20,
  kRecordOverflow = 22,
  kHandshakeFailure = 40,
  kBadCertificate = 42,
  kUnsupportedCertificate = 43,
  kCertificateRevoked = 44,
  kCertificateExpired = 45,
  kCertificateUnknown = 46,
  kIllegalParameter = 47,
  kUnknownCa = 48,
  kAccessDenied = 49,
  kDecodeError = 50,
  kDecryptError = 51,
  kProtocolVersion = 70,
  kInsufficientSecurity = 71,
  kInternalError = 80,
  kInappropriateFallback = 86,
  kUserCanceled = 90,
  kNoRenegotiation = 100,
  kMissingExtension = 109,
  kUnsupportedExtension = 110,
  kUnrecognizedName = 112,
  kBadCertificateStatusResponse = 113,
  kUnknownPskIdentity = 115,
  kCertificateRequired = 116,
  kNoApplicationProtocol = 120,
};

// Whose failure it was.
enum class Origin : uint8_t {
  kLocal,      // we refused what the peer sent, or could not go on: the alert is ours
  kPeerAlert,  // the peer sent a fatal alert
  kClosed,     // the peer ended, or what came was no TLS at all: no alert but to a close_notify
  kDeadline,   // time ran out
};

enum class Reason : uint8_t {
  // Messages and their layout.
  kUnexpectedMessage,
  kDecodeError,
  kMessageTooLong,
  kKeyChangeInsideMessage,
  kDuplicateExtension,
  kUnsolicitedExtension,
  kEmptyHandshakeRecord,
  // Records.
  kRecordOverflow,
  kBadRecordMac,
  kBadRecordType,
  kBadInnerPlaintext,
  kTooManyEmptyRecords,
  kTooManyWarnings,
  kTooManyPostHandshakeMessages,
  kBadKeyUpdate,
  kUnexpectedChangeCipherSpec,
  kUnexpectedApplicationData,
  kSequenceExhausted,
  // Negotiation.
  kNotTls,
  kUnsupportedVersion,
  kInappropriateFallback,
  kNoCommonCipherSuite,
  kNoCommonGroup,
  kNoCommonFfdheGroup,
  kNoCommonSignatureScheme,
  kNoCommonProtocol,
  kNoCredential,
  kUnrecognizedName,
  kBadServerName,
  kBadCompression,
  kMissingExtension,
  kExtendedMasterSecretRequired,
  kRenegotiationInfoRequired,
  kBadRenegotiationInfo,
  kRenegotiationRefused,
  kBadKeyShare,
  kBadDhPublicValue,
  kDuplicateKeyShare,
  kKeyShareNotOffered,
  kChangedClientHello,
  kNoKeyShareAfterRetry,
  kBadRecordSizeLimit,
  kPskNotLast,
  kBinderCount,
  kBadBinder,
  kTooMuchEarlyData,
  kVersionNotOffered,
  kSuiteNotOffered,
  kProtocolNotOffered,
  kSessionIdNotEchoed,
  kRetryWithoutChange,
  kMisplacedExtension,
  kBadSelectedIdentity,
  kDowngraded,
  // Authentication.
  kBadSignature,
  kSchemeNotOffered,
  kFinishedMismatch,
  kNoClientCertificate,
  kBadCertificate,
  kUnsupportedCertificate,
  kCertificateRevoked,
  kCertificateExpired,
  kUnknownCa,
  kWeakCertificate,
  kNameMismatch,
  kIdentityNotAllowed,
  kCrlExpired,
  kCrlUnusable,
  kBadOcspResponse,
  kNoOcspResponse,
  kTrustUnavailable,
  // Us.
  kPrivateKeyFailed,
  kPrivateKeyRefused,
  kKeysNotReleasable,
  kHandshakeAborted,
  kInternalError,
  // The other side, and time.
  kPeerAlert,
  kPeerClosed,
  kDeadlineExceeded,
};

struct ReasonInfo {
  Reason reason;
  // Nullopt: nothing is sent (RFC 8446 §6: what is no TLS gets no alert).
  std::optional<Alert> alert13;
  std::optional<Alert> alert12;
  Origin origin;
  // The metric label, also the text in replies and logs.
  std::string_view label;
  std::string_view rfc;
};

const ReasonInfo& Describe(Reason reason);

// RFC words for logs and the ladder: "handshake_failure". "unknown" for a code without a name.
std::string_view AlertName(uint8_t alert);

// All rows, in the order of the enumeration.
inline constexpr int kReasonCount = static_cast<int>(Reason::kDeadlineExceeded) + 1;

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_BASE_REASON_H_
