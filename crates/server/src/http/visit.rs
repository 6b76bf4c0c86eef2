//! One request, as far as handlers care: who calls, from where, in which language.

use std::net::IpAddr;

use axum::http::request::Parts;
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, HeaderValue, header::ACCEPT_LANGUAGE};
use journey::{Language, PersonId, Place};

use super::{around::is_foreign, form, saml_logout};
use crate::{
    app::{App, Caller},
    cookie::{Name, sha256},
    held_certificate::{Believed, HeldCertificate, client_certificate},
    page::Frame,
    visitor::{Forwarding, Peer, claims_to_be_forwarded, client_address},
    world::Draw,
};

/// A request under way.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) caller: Caller,
    /// The certificate of which whoever calls has the key.
    pub(crate) certificate: Option<HeldCertificate>,
    /// Path and query at which a GET shows this page again.
    pub(crate) here: String,
    pub(crate) language: Language,
    /// Whether the language was chosen here, in this or an earlier request.
    chosen: bool,
    pub(crate) nonce: String,
    /// The cookies to set with the next page.
    pub(crate) cookies: Vec<HeaderValue>,
    /// The device's cookie, if it has none yet: set once somebody has signed in on it.
    pub(crate) new_device: Option<[u8; 32]>,
    /// Who was let into SAML applications with this browser, which may still be open.
    pub(crate) entered: Option<PersonId>,
    /// The key of the session of its cookie.
    pub(crate) session: Option<[u8; 32]>,
    /// The name of the place, if it is a network of the canton's.
    pub(crate) place_name: Option<String>,
}

impl Visit {
    /// Reads what every request has.
    pub(crate) fn of(app: &App, parts: &Parts) -> Self {
        let headers = &parts.headers;
        let address = address_of(app, parts);
        let catalogue = app.catalogue.load();
        let place = catalogue.zones.locate(address);
        let mut cookies = Vec::new();
        let query = parts.uri.query().unwrap_or_default();
        let asked = Language::parse(form::own(query, "ui"));
        let kept = app
            .jar
            .read(headers, Name::Language)
            .and_then(|code| Language::parse(&code));
        if let Some(language) = asked {
            cookies.extend(app.jar.set(Name::Language, language.code()));
        }
        let language = asked.or(kept).unwrap_or_else(|| negotiated(headers));
        let browser = app.jar.hash(headers, Name::Browser).unwrap_or_else(|| {
            let new: [u8; 32] = app.world.bytes();
            // Browsers leave our cookies out of a form of another site. A new one would take the place
            // of theirs, and end the sign-ins that are open beside it.
            if parts.method.is_safe() || !is_foreign(app, headers) {
                cookies.extend(app.jar.set_bytes(Name::Browser, &new));
            }
            sha256(&new)
        });
        let known_device = app.jar.hash(headers, Name::Device);
        let new_device = known_device.is_none().then(|| app.world.bytes::<32>());
        let device = known_device.or_else(|| new_device.map(|new| sha256(&new)));
        let place_name = match &place {
            Place::Public => None,
            Place::Inside(inside) => catalogue
                .zones
                .get(&inside.zone)
                .map(|zone| zone.name.say(language).to_owned()),
        };
        Self {
            caller: Caller {
                address,
                browser: Some(browser),
                device,
                place,
            },
            certificate: certificate_of(app, parts),
            here: parts
                .uri
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default(),
            language,
            chosen: asked.or(kept).is_some(),
            nonce: BASE64URL_NOPAD.encode(&app.world.bytes::<16>()),
            cookies,
            new_device,
            entered: saml_logout::whose(app, headers),
            session: app.jar.session(headers),
            place_name,
        }
    }

    /// The application's wish counts where the person has not chosen.
    pub(crate) fn prefer(&mut self, ui_locales: &[String]) {
        if !self.chosen
            && let Some(language) = ui_locales.iter().find_map(|tag| Language::parse(tag))
        {
            self.language = language;
        }
    }

    /// The frame around this visit's page.
    pub(crate) fn frame<'a>(&'a self, app: &'a App) -> Frame<'a> {
        Frame {
            language: self.language,
            nonce: &self.nonce,
            institution: app.settings.institution.say(self.language),
            here: &self.here,
            support: &app.settings.support,
        }
    }
}

/// The language that a browser asks for.
pub(super) fn negotiated(headers: &HeaderMap) -> Language {
    let wanted = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Language::negotiate(wanted.unwrap_or_default())
}

fn address_of(app: &App, parts: &Parts) -> Option<IpAddr> {
    // Without a peer nobody knows who calls: public.
    let Peer(peer) = *parts.extensions.get::<Peer>()?;
    let settings = &app.settings;
    let trusted = &settings.trusted_proxies;
    let from_proxy = trusted.iter().any(|net| net.contains(&peer.to_canonical()));
    let forwards = !matches!(
        settings.forwarding,
        Forwarding::None | Forwarding::ProxyProtocol
    );
    if claims_to_be_forwarded(&parts.headers) && !(from_proxy && forwards) {
        app.metrics.forwarded_by_strangers.inc();
    }
    client_address(peer, &parts.headers, settings.forwarding, trusted)
}

fn certificate_of(app: &App, parts: &Parts) -> Option<HeldCertificate> {
    let Peer(peer) = *parts.extensions.get::<Peer>()?;
    // Without a place where certificates are asked for, none counts.
    app.issuer.mtls()?;
    let believed = Believed {
        certificates: app.settings.proxies_pass_certificates,
        forwarding: app.settings.forwarding,
        trusted: &app.settings.trusted_proxies,
    };
    let held = parts.extensions.get::<HeldCertificate>();
    client_certificate(peer, &parts.headers, held, believed)
}
