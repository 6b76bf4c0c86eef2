//! Everything that can be wrong with an authorization request, and what is answered.

use crate::fault::faults;

faults! {
    /// A fault of an authorization request, or the reason why one is not granted.
    ///
    /// Status 400: shown to the person on a page here. Status 303: sent to the application by redirect.
    pub enum Fault {
        /// More than 8 KiB beside a request object of 32 KiB at most, more than 40 parameters, or without one a value over 4 KiB.
        TooLong => "invalid_request", 400, "RFC 6749 §4.1.2.1", "the request is too long";
        /// Not form-encoded UTF-8 text.
        Malformed => "invalid_request", 400, "RFC 6749 §4.1.2.1", "the request is not form-encoded text";
        /// No `client_id`.
        ClientMissing => "invalid_request", 400, "RFC 6749 §4.1.1", "client_id is missing";
        /// `client_id`, `redirect_uri` or `request` is there twice, or anything beside a request object.
        AddressRepeated => "invalid_request", 400, "RFC 6749 §3.1", "client_id, redirect_uri or request is given more than once";
        /// No such application, or it is disabled.
        ClientUnknown => "invalid_request", 400, "RFC 6749 §4.1.2.1", "client_id is not the name of a registered application";
        /// No `redirect_uri`.
        RedirectMissing => "invalid_request", 400, "OIDC Core §3.1.2.1", "redirect_uri is missing";
        /// Not one of the application's own.
        RedirectMismatch => "invalid_request", 400, "RFC 6749 §3.1.2.3", "redirect_uri is not one of those registered for this application, character by character";
        /// Another response mode than these. A fragment would keep a code from the server that asks for it.
        ResponseModeUnsupported => "invalid_request", 400, "OIDC Core §3.1.2.6", "response_mode must be query, form_post, jwt, query.jwt or form_post.jwt";
        /// A request object that is not signed by a key of the application, or not for us, or not of this time.
        RequestObjectWrong => "invalid_request_object", 400, "RFC 9101 §6.2", "the request object does not open, is not signed by a registered key, not from this application, not for this issuer, not of this hour, or not well-formed";
        /// A parameter is there twice.
        Repeated => "invalid_request", 303, "RFC 6749 §3.1", "a parameter is given more than once";
        /// `request` is there.
        RequestObject => "request_not_supported", 303, "OIDC Core §6.1", "the request parameter is not supported";
        /// `request_uri` is there.
        RequestUri => "request_uri_not_supported", 303, "OIDC Core §6.2", "the request_uri parameter is not supported";
        /// The application must sign its requests.
        RequestObjectNeeded => "invalid_request", 303, "RFC 9101 §10.5", "this application must send its parameters in a signed request object";
        /// The application must hand its requests over itself.
        NotPushed => "invalid_request", 303, "RFC 9126 §6", "this application must hand its requests over at the pushed authorization request endpoint";
        /// `registration` is there.
        Registration => "registration_not_supported", 303, "OIDC Core §7.2.1", "the registration parameter is not supported";
        /// No `response_type`.
        ResponseTypeMissing => "invalid_request", 303, "RFC 6749 §3.1.1", "response_type is missing";
        /// Another response type than `code`.
        ResponseTypeUnsupported => "unsupported_response_type", 303, "RFC 6749 §3.1.1", "response_type must be code";
        /// No `scope`, or without `openid`.
        ScopeWithoutOpenid => "invalid_scope", 303, "OIDC Core §3.1.2.1", "scope must contain openid";
        /// A scope the application may not ask for.
        ScopeNotAllowed => "invalid_scope", 303, "RFC 6749 §4.1.2.1", "a requested scope is not registered for this application";
        /// No `code_challenge`.
        ChallengeMissing => "invalid_request", 303, "RFC 7636 §4.4.1", "code challenge required";
        /// Another method than S256, or none.
        ChallengeMethod => "invalid_request", 303, "RFC 7636 §4.4.1", "transform algorithm not supported, use code_challenge_method S256";
        /// Not 43 base64url characters.
        ChallengeMalformed => "invalid_request", 303, "RFC 7636 §4.2", "code_challenge must be 43 base64url characters";
        /// `none` together with another prompt.
        PromptContradiction => "invalid_request", 303, "OIDC Core §3.1.2.1", "prompt none cannot be combined";
        /// Not a number of seconds.
        MaxAgeMalformed => "invalid_request", 303, "OIDC Core §3.1.2.1", "max_age must be a number of seconds";
        /// `claims` is not what the standard describes, or contradicts itself.
        ClaimsMalformed => "invalid_request", 303, "OIDC Core §5.5", "claims is not a JSON object as described, is too long or too deep, or asks for two things at once";
        /// `dpop_jkt` is for another key than the proof beside it.
        KeyMismatch => "invalid_dpop_proof", 303, "RFC 9449 §10.1", "dpop_jkt is not the thumbprint of the key of the DPoP proof";
        /// `dpop_jkt` is not the thumbprint of a key.
        KeyMalformed => "invalid_request", 303, "RFC 9449 §10", "dpop_jkt must be 43 base64url characters";
        /// `nonce`, `login_hint`, `acr_values`, `ui_locales` or `state` is longer than anybody needs.
        ValueTooLong => "invalid_request", 303, "RFC 6749 §4.1.2.1", "a parameter is too long";
        /// The person said no, or policy did.
        AccessDenied => "access_denied", 303, "RFC 6749 §4.1.2.1", "access was denied";
        /// `prompt=none` and nobody is signed in well enough.
        LoginRequired => "login_required", 303, "OIDC Core §3.1.2.6", "the person has to sign in";
        /// `prompt=none` and a page would have to be shown.
        InteractionRequired => "interaction_required", 303, "OIDC Core §3.1.2.6", "the person has to be asked something";
        /// `prompt=none` and consent is missing.
        ConsentRequired => "consent_required", 303, "OIDC Core §3.1.2.6", "the person has to consent";
        /// `prompt=none` and an account would have to be chosen.
        AccountSelectionRequired => "account_selection_required", 303, "OIDC Core §3.1.2.6", "the person has to choose an account";
        /// The assurance asked for cannot be reached.
        UnmetAuthenticationRequirements => "unmet_authentication_requirements", 303, "OIDC Core Unmet Authentication Requirements §2", "the requested assurance cannot be reached";
        /// Something of ours failed.
        ServerError => "server_error", 303, "RFC 6749 §4.1.2.1", "something failed here, try again later";
        /// We are overloaded.
        TemporarilyUnavailable => "temporarily_unavailable", 303, "RFC 6749 §4.1.2.1", "there is too much to do here, try again later";
    }
}

impl Fault {
    /// Whether the application may be told by redirect.
    #[must_use]
    pub const fn goes_to_the_application(self) -> bool {
        self.row().status == 303
    }
}
