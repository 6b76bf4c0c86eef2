//! The applications of an installation to measure, as a technician registers them.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use driver::Application;

/// The application that asks where people sign in.
pub(crate) const APPLICATION: Application = Application {
    id: "bench",
    redirect: "https://portal.example/callback",
    secret: "a-secret-of-the-bench-that-protects-nothing-0123",
};
/// One that renews its tokens, asks who somebody is, and has tokens explained.
pub(crate) const RENEWING: Application = Application {
    id: "bench-renewing",
    ..APPLICATION
};
/// One that asks in its own name, for tokens signed with ES256.
pub(crate) const SERVICE: Application = Application {
    id: "bench-service",
    ..APPLICATION
};
/// The same with RS256.
pub(crate) const SERVICE_RS256: Application = Application {
    id: "bench-service-rs256",
    ..APPLICATION
};
/// What tokens of these are for.
pub(crate) const SCOPE: &str = "timetable.read";
/// The SAML application, by its entity ID.
pub(crate) const ENTITY: &str = "https://ism.example/saml";

/// `applications.toml`.
pub(crate) fn applications() -> String {
    let redirect = format!("redirect_uris = [\"{}\"]\n", APPLICATION.redirect);
    let people = "scopes = [\"openid\", \"profile\", \"email\"]\n";
    let service = format!(
        "grants = [\"client_credentials\"]\naccess_token = \"jwt\"\napi_scopes = [\"{SCOPE}\"]\n"
    );
    let renewing = "grants = [\"authorization_code\", \"refresh_token\"]\n";
    [
        application(APPLICATION, &format!("{redirect}{people}")),
        application(RENEWING, &format!("{redirect}{people}{renewing}")),
        application(SERVICE, &service),
        application(
            SERVICE_RS256,
            &format!("{service}access_token_alg = \"RS256\"\n"),
        ),
        saml(),
    ]
    .concat()
}

fn application(Application { id, secret, .. }: Application, more: &str) -> String {
    let secret = HEXLOWER.encode(digest(&SHA256, secret.as_bytes()).as_ref());
    format!(
        "[[application]]\nid = \"{id}\"\nname = {{ fr = \"Portail\", de = \"Portal\", en = \"Portal\" }}\n\
         kind = \"confidential\"\nauth = \"basic\"\nsecret_sha256 = \"{secret}\"\ntrusted = true\n{more}\n"
    )
}

/// A SAML application that signs nothing, and gets what a school's usually does.
fn saml() -> String {
    format!(
        r#"[[saml]]
id = "bench-saml"
name = {{ fr = "ISM", de = "ISM", en = "ISM" }}
salt = "a-salt-of-the-bench-that-protects-nothing-0123"
attributes = ["display_name", "given_name", "sn", "mail", "affiliation", "groups"]
metadata = '''
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY}">
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{ENTITY}/acs" index="1"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
'''
"#
    )
}

#[cfg(test)]
mod tests {
    use super::applications;

    #[test]
    fn a_provider_takes_the_applications_that_are_registered() {
        let read = server::catalogue::registered(&applications()).unwrap();
        assert_eq!((read.application.len(), read.saml.len()), (4, 1));
    }
}
