//! Everything that can be wrong with a token request, and what is answered.

use crate::fault::faults;

faults! {
    /// A fault of a token request.
    pub enum Fault {
        /// Another content type than a form.
        NotAForm => "invalid_request", 415, "RFC 6749 §4.1.3", "the content type must be application/x-www-form-urlencoded";
        /// More than 16 KiB.
        TooLong => "invalid_request", 413, "RFC 6749 §5.2", "the request is too long";
        /// Not form-encoded UTF-8 text.
        Malformed => "invalid_request", 400, "RFC 6749 §5.2", "the request is not form-encoded text";
        /// A parameter is there twice.
        Repeated => "invalid_request", 400, "RFC 6749 §3.2", "a parameter is given more than once";
        /// No `grant_type`.
        GrantTypeMissing => "invalid_request", 400, "RFC 6749 §4.1.3", "grant_type is missing";
        /// A grant that does not exist here.
        GrantTypeUnsupported => "unsupported_grant_type", 400, "RFC 6749 §5.2", "grant_type must be one that the metadata lists";
        /// A grant for which the application is not registered.
        GrantNotAllowed => "unauthorized_client", 400, "RFC 6749 §5.2", "the application is not registered for this grant_type";
        /// No `code`.
        CodeMissing => "invalid_request", 400, "RFC 6749 §4.1.3", "code is missing";
        /// Nothing says which application this is.
        ClientMissing => "invalid_client", 401, "RFC 6749 §5.2", "the application is not named";
        /// Two ways of authenticating at once, or two different names.
        TwoMechanisms => "invalid_request", 400, "RFC 6749 §2.3", "use exactly one way of authenticating and one client_id";
        /// An `Authorization` header that is not Basic, or damaged.
        HeaderMalformed => "invalid_client", 401, "RFC 6749 §2.3.1", "the authorization header is not well-formed Basic";
        /// Unknown application, another method than the registered one, wrong secret or assertion.
        ClientNotItself => "invalid_client", 401, "RFC 6749 §5.2", "client authentication failed";
        /// Unknown, altered, expired or spent code, or one of another application, address or verifier.
        CodeNotGood => "invalid_grant", 400, "RFC 6749 §5.2", "the code is expired, spent, or was not issued for this request";
        /// No `refresh_token`.
        RefreshMissing => "invalid_request", 400, "RFC 6749 §6", "refresh_token is missing";
        /// Unknown, altered, expired, revoked or spent refresh token, or one of another application.
        RefreshNotGood => "invalid_grant", 400, "RFC 6749 §5.2", "the refresh token is expired, revoked, spent, or was not issued to this application";
        /// More than was granted.
        ScopeTooLarge => "invalid_scope", 400, "RFC 6749 §6", "the scope is unknown or larger than what was granted";
        /// An interface for which the application is not registered.
        ResourceUnknown => "invalid_target", 400, "RFC 8707 §2", "the application is not registered for this resource";
        /// No `device_code`.
        DeviceCodeMissing => "invalid_request", 400, "RFC 8628 §3.4", "device_code is missing";
        /// Nobody has answered the device yet.
        DevicePending => "authorization_pending", 400, "RFC 8628 §3.5", "nobody has answered yet: ask again after the interval";
        /// The device asks too often.
        // [RFC 8628 §3.5] "the interval MUST be increased by 5 seconds for this and all subsequent requests."
        DeviceTooFast => "slow_down", 400, "RFC 8628 §3.5", "asked before the interval was over: wait 5 seconds longer from now on";
        /// Somebody said no, or whoever said yes is not who they were any more.
        DeviceRefused => "access_denied", 400, "RFC 8628 §3.5", "the device was not let in";
        /// Nobody answered the device in time.
        DeviceExpired => "expired_token", 400, "RFC 8628 §3.5", "nobody answered in time: ask for new codes when somebody wants to sign in";
        /// More devices ask from one network than a school has.
        DevicesTooMany => "temporarily_unavailable", 429, "RFC 8628 §5.1", "too many devices ask from this network: wait a moment";
        /// No `token` to explain or to take back.
        TokenMissing => "invalid_request", 400, "RFC 7009 §2.1", "token is missing";
        /// A token of another application is not given back.
        TokenOfAnother => "invalid_grant", 400, "RFC 7009 §2.1", "the token was issued to another application";
        /// An access token of an application ends by itself.
        TokenNotRevocable => "unsupported_token_type", 400, "RFC 7009 §2.2.1", "an access token that stands for no person ends by itself within minutes";
        /// No proof of a key where one is needed, or one that is not believed or was used before.
        KeyNotProven => "invalid_dpop_proof", 400, "RFC 9449 §5", "a DPoP proof is needed, and must be fresh, unused, and for this request";
        /// A proof without a fresh value of ours.
        NonceMissing => "use_dpop_nonce", 400, "RFC 9449 §8", "the DPoP proof must hold the nonce of the header DPoP-Nonce";
        /// Tokens of an application are bound to its certificate, and none came.
        CertificateMissing => "invalid_request", 400, "RFC 8705 §3", "the tokens of this application are bound to its certificate: use the addresses in mtls_endpoint_aliases";
        /// No `code_verifier`, or not 43 to 128 unreserved characters.
        VerifierMalformed => "invalid_request", 400, "RFC 7636 §4.1", "code_verifier must be 43 to 128 unreserved characters";
    }
}
