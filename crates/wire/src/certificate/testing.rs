//! Authorities and applications with certificates, for tests.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType, date_time_ymd,
};
use rustls_pki_types::CertificateDer;

use super::Chain;

/// Somebody who vouches.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// Nothing in it but this name.
pub(crate) fn named(name: SanType) -> CertificateParams {
    let mut params = subject(&[]);
    params.subject_alt_names = vec![name];
    params
}

/// Nothing in it but this subject, the most general part first.
pub(crate) fn subject(parts: &[(DnType, &str)]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in parts {
        params.distinguished_name.push(kind.clone(), *value);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = subject(&[(DnType::CommonName, name)]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::of(authority(name))
    }

    /// One from a year to a year.
    pub(crate) fn between(name: &str, from: i32, until: i32) -> Self {
        Self::of(between(authority(name), from, until))
    }

    fn of(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// An authority below this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(authority(name), key, &self.0).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.as_ref().pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.as_ref().der().clone()
    }

    /// A certificate of somebody.
    pub(crate) fn signs(&self, params: &CertificateParams) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        params.signed_by(&key, &self.0).unwrap().der().clone()
    }

    /// The same, shown alone.
    pub(crate) fn shows(&self, params: &CertificateParams) -> Chain {
        Chain::of(&[self.signs(params)]).unwrap()
    }
}

/// A certificate that vouches for itself, in DER and PEM.
pub(crate) fn self_signed(params: &CertificateParams) -> (Chain, String) {
    let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    (Chain::of(&[made.der().clone()]).unwrap(), made.pem())
}

/// From a year to a year.
pub(crate) fn between(mut params: CertificateParams, from: i32, until: i32) -> CertificateParams {
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}
