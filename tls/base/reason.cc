#include "tls/base/reason.h"

namespace handfast::tls {
namespace {

constexpr ReasonInfo kReasons[] = {
    {Reason::kUnexpectedMessage, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage,
     Origin::kLocal, "unexpected_message", "RFC 8446 §6.2"},
    {Reason::kDecodeError, Alert::kDecodeError, Alert::kDecodeError, Origin::kLocal, "decode_error",
     "RFC 8446 §6.2"},
    {Reason::kMessageTooLong, Alert::kIllegalParameter, Alert::kIllegalParameter, Origin::kLocal,
     "message_too_long", "RFC 8446 §4"},
    {Reason::kKeyChangeInsideMessage, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage,
     Origin::kLocal, "key_change_inside_message", "RFC 8446 §5.1"},
    {Reason::kDuplicateExtension, Alert::kIllegalParameter, Alert::kIllegalParameter,
     Origin::kLocal, "duplicate_extension", "RFC 8446 §4.2"},
    {Reason::kUnsolicitedExtension, Alert::kUnsupportedExtension, Alert::kUnsupportedExtension,
     Origin::kLocal, "unsolicited_extension", "RFC 8446 §4.2"},
    {Reason::kEmptyHandshakeRecord, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage,
     Origin::kLocal, "empty_handshake_record", "RFC 8446 §5.1"},
    {Reason::kRecordOverflow, Alert::kRecordOverflow, Alert::kRecordOverflow, Origin::kLocal,
     "record_overflow", "RFC 8446 §5.1"},
    {Reason::kBadRecordMac, Alert::kBadRecordMac, Alert::kBadRecordMac, Origin::kLocal,
     "bad_record_mac", "RFC 8446 §5.2"},
    {Reason::kBadRecordType, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage, Origin::kLocal,
     "bad_record_type", "RFC 8446 §5"},
    {Reason::kBadRecordVersion, Alert::kProtocolVersion, Alert::kProtocolVersion, Origin::kLocal,
     "bad_record_version", "RFC 5246 Appendix E.1"},
    {Reason::kBadInnerPlaintext, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage,
     Origin::kLocal, "bad_inner_plaintext", "RFC 8446 §5.4"},
    {Reason::kTooManyEmptyRecords, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage,
     Origin::kLocal, "too_many_empty_records", "RFC 8446 §5.1"},
    {Reason::kTooManyWarnings, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage, Origin::kLocal,
     "too_many_warnings", "RFC 8446 §6.2"},
    {Reason::kUnexpectedChangeCipherSpec, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage,
     Origin::kLocal, "unexpected_change_cipher_spec", "RFC 8446 §5"},
    {Reason::kUnexpectedApplicationData, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage,
     Origin::kLocal, "unexpected_application_data", "RFC 8446 §2"},
    {Reason::kSequenceExhausted, Alert::kInternalError, Alert::kInternalError, Origin::kLocal,
     "sequence_exhausted", "RFC 8446 §5.3"},
    {Reason::kNotTls, std::nullopt, std::nullopt, Origin::kClosed, "not_tls", "RFC 8446 §6"},
    {Reason::kUnsupportedVersion, Alert::kProtocolVersion, Alert::kProtocolVersion, Origin::kLocal,
     "unsupported_version", "RFC 8446 §4.2.1"},
    {Reason::kInappropriateFallback, Alert::kInappropriateFallback, Alert::kInappropriateFallback,
     Origin::kLocal, "inappropriate_fallback", "RFC 7507 §3"},
    {Reason::kNoCommonCipherSuite, Alert::kHandshakeFailure, Alert::kHandshakeFailure,
     Origin::kLocal, "no_common_cipher_suite", "RFC 8446 §4.1.1"},
    {Reason::kNoCommonGroup, Alert::kHandshakeFailure, Alert::kHandshakeFailure, Origin::kLocal,
     "no_common_group", "RFC 8446 §4.1.1"},
    {Reason::kNoCommonSignatureScheme, Alert::kHandshakeFailure, Alert::kHandshakeFailure,
     Origin::kLocal, "no_common_signature_scheme", "RFC 8446 §4.4.2.2"},
    {Reason::kNoCommonProtocol, Alert::kNoApplicationProtocol, Alert::kNoApplicationProtocol,
     Origin::kLocal, "no_common_protocol", "RFC 7301 §3.2"},
    {Reason::kNoCredential, Alert::kHandshakeFailure, Alert::kHandshakeFailure, Origin::kLocal,
     "no_credential", "RFC 8446 §4.4.2.2"},
    {Reason::kUnrecognizedName, Alert::kUnrecognizedName, Alert::kUnrecognizedName, Origin::kLocal,
     "unrecognized_name", "RFC 6066 §3"},
    {Reason::kBadServerName, Alert::kIllegalParameter, Alert::kIllegalParameter, Origin::kLocal,
     "bad_server_name", "RFC 6066 §3"},
    {Reason::kBadCompression, Alert::kIllegalParameter, Alert::kIllegalParameter, Origin::kLocal,
     "bad_compression", "RFC 8446 §4.1.2"},
    {Reason::kMissingExtension, Alert::kMissingExtension, Alert::kHandshakeFailure, Origin::kLocal,
     "missing_extension", "RFC 8446 §9.2"},
    {Reason::kExtendedMasterSecretRequired, Alert::kHandshakeFailure, Alert::kHandshakeFailure,
     Origin::kLocal, "extended_master_secret_required", "RFC 7627 §5.2"},
    {Reason::kRenegotiationInfoRequired, Alert::kHandshakeFailure, Alert::kHandshakeFailure,
     Origin::kLocal, "renegotiation_info_required", "RFC 5746 §3.6"},
    {Reason::kBadRenegotiationInfo, Alert::kHandshakeFailure, Alert::kHandshakeFailure,
     Origin::kLocal, "bad_renegotiation_info", "RFC 5746 §3.6"},
    {Reason::kRenegotiationRefused, Alert::kUnexpectedMessage, Alert::kNoRenegotiation,
     Origin::kLocal, "renegotiation_refused", "RFC 5246 §7.2.2"},
    {Reason::kBadKeyShare, Alert::kIllegalParameter, Alert::kIllegalParameter, Origin::kLocal,
     "bad_key_share", "RFC 8446 §4.2.8"},
    {Reason::kDuplicateKeyShare, Alert::kIllegalParameter, Alert::kIllegalParameter, Origin::kLocal,
     "duplicate_key_share", "RFC 8446 §4.2.8"},
    {Reason::kKeyShareNotOffered, Alert::kIllegalParameter, Alert::kIllegalParameter,
     Origin::kLocal, "key_share_not_offered", "RFC 8446 §4.2.8"},
    {Reason::kChangedClientHello, Alert::kIllegalParameter, Alert::kIllegalParameter,
     Origin::kLocal, "changed_client_hello", "RFC 8446 §4.1.2"},
    {Reason::kNoKeyShareAfterRetry, Alert::kIllegalParameter, Alert::kIllegalParameter,
     Origin::kLocal, "no_key_share_after_retry", "RFC 8446 §4.2.8"},
    {Reason::kBadRecordSizeLimit, Alert::kIllegalParameter, Alert::kIllegalParameter,
     Origin::kLocal, "bad_record_size_limit", "RFC 8449 §4"},
    {Reason::kPskNotLast, Alert::kIllegalParameter, Alert::kIllegalParameter, Origin::kLocal,
     "psk_not_last", "RFC 8446 §4.2.11"},
    {Reason::kBinderCount, Alert::kIllegalParameter, Alert::kIllegalParameter, Origin::kLocal,
     "binder_count", "RFC 8446 §4.2.11"},
    {Reason::kBadBinder, Alert::kDecryptError, Alert::kDecryptError, Origin::kLocal, "bad_binder",
     "RFC 8446 §4.2.11"},
    {Reason::kTooMuchEarlyData, Alert::kUnexpectedMessage, Alert::kUnexpectedMessage,
     Origin::kLocal, "too_much_early_data", "RFC 8446 §4.2.10"},
    {Reason::kBadSignature, Alert::kDecryptError, Alert::kDecryptError, Origin::kLocal,
     "bad_signature", "RFC 8446 §4.4.3"},
    {Reason::kSchemeNotOffered, Alert::kIllegalParameter, Alert::kIllegalParameter, Origin::kLocal,
     "scheme_not_offered", "RFC 8446 §4.4.3"},
    {Reason::kFinishedMismatch, Alert::kDecryptError, Alert::kDecryptError, Origin::kLocal,
     "finished_mismatch", "RFC 8446 §4.4.4"},
    {Reason::kNoClientCertificate, Alert::kCertificateRequired, Alert::kHandshakeFailure,
     Origin::kLocal, "no_client_certificate", "RFC 8446 §4.4.2.4"},
    {Reason::kBadCertificate, Alert::kBadCertificate, Alert::kBadCertificate, Origin::kLocal,
     "bad_certificate", "RFC 8446 §6.2"},
    {Reason::kUnsupportedCertificate, Alert::kUnsupportedCertificate,
     Alert::kUnsupportedCertificate, Origin::kLocal, "unsupported_certificate", "RFC 8446 §6.2"},
    {Reason::kCertificateRevoked, Alert::kCertificateRevoked, Alert::kCertificateRevoked,
     Origin::kLocal, "certificate_revoked", "RFC 8446 §6.2"},
    {Reason::kCertificateExpired, Alert::kCertificateExpired, Alert::kCertificateExpired,
     Origin::kLocal, "certificate_expired", "RFC 8446 §6.2"},
    {Reason::kUnknownCa, Alert::kUnknownCa, Alert::kUnknownCa, Origin::kLocal, "unknown_ca",
     "RFC 8446 §6.2"},
    {Reason::kWeakCertificate, Alert::kBadCertificate, Alert::kBadCertificate, Origin::kLocal,
     "weak_certificate", "RFC 8446 §4.4.2.4"},
    {Reason::kTrustUnavailable, Alert::kInternalError, Alert::kInternalError, Origin::kLocal,
     "trust_unavailable", "RFC 8446 §6.2"},
    {Reason::kPrivateKeyFailed, Alert::kInternalError, Alert::kInternalError, Origin::kLocal,
     "private_key_failed", "RFC 8446 §6.2"},
    {Reason::kPrivateKeyRefused, Alert::kInternalError, Alert::kInternalError, Origin::kLocal,
     "private_key_refused", "RFC 8446 §6.2"},
    {Reason::kHandshakeAborted, Alert::kInternalError, Alert::kInternalError, Origin::kLocal,
     "handshake_aborted", "RFC 8446 §6.1"},
    {Reason::kInternalError, Alert::kInternalError, Alert::kInternalError, Origin::kLocal,
     "internal_error", "RFC 8446 §6.2"},
    {Reason::kPeerAlert, std::nullopt, std::nullopt, Origin::kPeerAlert, "peer_alert",
     "RFC 8446 §6.2"},
    {Reason::kPeerClosed, std::nullopt, std::nullopt, Origin::kClosed, "peer_closed",
     "RFC 8446 §6.1"},
    {Reason::kDeadlineExceeded, Alert::kInternalError, Alert::kInternalError, Origin::kDeadline,
     "deadline_exceeded", "RFC 8446 §6.2"},
};

constexpr bool RowsFollowTheEnumeration() {
  int expected = 0;
  for (const ReasonInfo& row : kReasons) {
    if (static_cast<int>(row.reason) != expected++) return false;
  }
  return expected == kReasonCount;
}
static_assert(RowsFollowTheEnumeration());

struct AlertRow {
  Alert alert;
  std::string_view name;
};

constexpr AlertRow kAlerts[] = {
    {Alert::kCloseNotify, "close_notify"},
    {Alert::kUnexpectedMessage, "unexpected_message"},
    {Alert::kBadRecordMac, "bad_record_mac"},
    {Alert::kRecordOverflow, "record_overflow"},
    {Alert::kHandshakeFailure, "handshake_failure"},
    {Alert::kBadCertificate, "bad_certificate"},
    {Alert::kUnsupportedCertificate, "unsupported_certificate"},
    {Alert::kCertificateRevoked, "certificate_revoked"},
    {Alert::kCertificateExpired, "certificate_expired"},
    {Alert::kCertificateUnknown, "certificate_unknown"},
    {Alert::kIllegalParameter, "illegal_parameter"},
    {Alert::kUnknownCa, "unknown_ca"},
    {Alert::kAccessDenied, "access_denied"},
    {Alert::kDecodeError, "decode_error"},
    {Alert::kDecryptError, "decrypt_error"},
    {Alert::kProtocolVersion, "protocol_version"},
    {Alert::kInsufficientSecurity, "insufficient_security"},
    {Alert::kInternalError, "internal_error"},
    {Alert::kInappropriateFallback, "inappropriate_fallback"},
    {Alert::kUserCanceled, "user_canceled"},
    {Alert::kNoRenegotiation, "no_renegotiation"},
    {Alert::kMissingExtension, "missing_extension"},
    {Alert::kUnsupportedExtension, "unsupported_extension"},
    {Alert::kUnrecognizedName, "unrecognized_name"},
    {Alert::kBadCertificateStatusResponse, "bad_certificate_status_response"},
    {Alert::kUnknownPskIdentity, "unknown_psk_identity"},
    {Alert::kCertificateRequired, "certificate_required"},
    {Alert::kNoApplicationProtocol, "no_application_protocol"},
};

}  // namespace

const ReasonInfo& Describe(Reason reason) { return kReasons[static_cast<int>(reason)]; }

std::string_view AlertName(uint8_t alert) {
  for (const AlertRow& row : kAlerts) {
    if (static_cast<uint8_t>(row.alert) == alert) return row.name;
  }
  return "unknown";
}

}  // namespace handfast::tls
