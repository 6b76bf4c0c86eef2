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
        /// Another grant than `authorization_code`.
        GrantTypeUnsupported => "unsupported_grant_type", 400, "RFC 6749 §5.2", "grant_type must be authorization_code";
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
        /// No `code_verifier`, or not 43 to 128 unreserved characters.
        VerifierMalformed => "invalid_request", 400, "RFC 7636 §4.1", "code_verifier must be 43 to 128 unreserved characters";
    }
}
