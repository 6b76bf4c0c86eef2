//! What configures the other side: the code blocks of `docs/applications` with the words of this
//! installation. The tests with real programs use the same blocks.

/// How a provider is called in the pages.
pub(super) const PROVIDER: &str = "https://id.example.ch";

/// A page of the documentation.
#[derive(Clone, Copy)]
pub(super) enum Page {
    /// CAS, with Apache's `mod_auth_cas`.
    Cas,
    /// The gate, with nginx, Caddy and Traefik.
    Gate,
    /// OpenID Connect, with Apache's `mod_auth_openidc`.
    ModAuthOpenidc,
    /// SAML, with Shibboleth.
    Saml,
    /// OpenID Connect in the browser, with `oidc-client-ts`.
    Browser,
}

impl Page {
    const fn text(self) -> &'static str {
        match self {
            Self::Cas => include_str!("../../../../../../docs/applications/cas.md"),
            Self::Gate => include_str!("../../../../../../docs/applications/gate.md"),
            Self::ModAuthOpenidc => {
                include_str!("../../../../../../docs/applications/mod-auth-openidc.md")
            }
            Self::Saml => include_str!("../../../../../../docs/applications/saml.md"),
            Self::Browser => include_str!("../../../../../../docs/applications/single-page.md"),
        }
    }

    /// The first code block of a language, with its words replaced.
    pub(super) fn block(self, language: &str, words: &[(&str, &str)]) -> String {
        let behind = self.text().split_once(&format!("```{language}\n"));
        let block = behind.and_then(|(_, rest)| rest.split_once("```"));
        let block = block.map(|(block, _)| block).unwrap_or_default();
        words
            .iter()
            .fold(block.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page that is written anew must keep the words that are replaced.
    #[test]
    fn every_block_is_there_with_its_words() {
        let wanted: [(Page, &str, &[&str]); 7] = [
            (Page::Cas, "apache", &[PROVIDER]),
            (Page::Gate, "nginx", &[PROVIDER, super::super::gate::HOST]),
            (Page::Gate, "caddy", &[PROVIDER]),
            (Page::Gate, "yaml", &[PROVIDER, super::super::gate::HOST]),
            (Page::ModAuthOpenidc, "apache", &super::super::openid::WORDS),
            (Page::Saml, "xml", &super::super::saml::WORDS),
            (Page::Browser, "js", &super::super::openid::SINGLE_PAGE),
        ];
        for (page, language, words) in wanted {
            let block = page.block(language, &[]);
            for word in words {
                assert!(
                    block.contains(word),
                    "`{word}` is not in {language}:\n{block}"
                );
            }
        }
    }
}
