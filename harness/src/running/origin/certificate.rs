//! Certificates for scripted servers, good and bad, made on the spot and dated by this machine's own clock (RFC 5280).
//!
//! ```text
//!   Authority (a root that the subject is told to trust)
//!      ├─ issue(Leaf)                        a server's identity: chain and key
//!      └─ intermediate() ── issue(Leaf)      the same behind one more certificate
//! ```

use std::{
    io,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    ServerConfig, ServerConnection,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    version::{TLS12, TLS13},
};

use crate::running::{Halt, Judged};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Somebody who signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    /// From this authority's own certificate up to, but without, the root's.
    above: Vec<CertificateDer<'static>>,
    names: u32,
}

/// What a server's certificate says.
#[derive(Clone, Debug)]
pub struct Leaf {
    names: Vec<String>,
    validity: Validity,
}

/// When a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// From yesterday to next month.
    Now,
    /// Until yesterday.
    Expired,
    /// From tomorrow on.
    NotYet,
}

/// What a server proves itself with.
#[derive(Clone, Debug)]
pub struct Identity {
    config: Arc<ServerConfig>,
}

/// The versions of TLS that a server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// 1.2 and 1.3.
    Both,
    /// 1.2 alone (RFC 5246).
    Only12,
    /// 1.3 alone (RFC 8446).
    Only13,
}

impl Leaf {
    /// A certificate for these names, which are DNS names or IP addresses, that holds now.
    pub fn new(names: &[&str]) -> Self {
        Self { names: names.iter().map(|&name| name.to_owned()).collect(), validity: Validity::Now }
    }

    /// Sets when it holds.
    #[must_use]
    pub fn valid(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    fn params(&self, serial: u32) -> Judged<CertificateParams> {
        let mut params = CertificateParams::new(self.names.clone()).map_err(fault)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (from, until) = match self.validity {
            Validity::Now => (now.saturating_sub(DAY), now + 30 * DAY),
            Validity::Expired => (now.saturating_sub(30 * DAY), now.saturating_sub(DAY)),
            Validity::NotYet => (now + DAY, now + 30 * DAY),
        };
        let epoch = date_time_ymd(1970, 1, 1);
        (params.not_before, params.not_after) = (epoch + from, epoch + until);
        params.distinguished_name.push(DnType::CommonName, format!("Groundwork test server {serial}"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(params)
    }
}

impl Authority {
    /// A root.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn root(name: &str) -> Judged<Self> {
        let key = KeyPair::generate().map_err(fault)?;
        let params = authority_params(name)?;
        let certificate = params.self_signed(&key).map_err(fault)?;
        let pem = certificate.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem, above: Vec::new(), names: 0 })
    }

    /// An authority below this one.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn intermediate(&self, name: &str) -> Judged<Self> {
        let key = KeyPair::generate().map_err(fault)?;
        let params = authority_params(name)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(fault)?;
        let pem = certificate.pem();
        let above = [vec![certificate.der().clone()], self.above.clone()].concat();
        Ok(Self { issuer: Issuer::new(params, key), pem, above, names: 0 })
    }

    /// Its own certificate in PEM (RFC 7468), to be trusted or not.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server with a certificate by this authority, which also sends every certificate between it and the root.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn issue(&mut self, leaf: &Leaf) -> Judged<Identity> {
        self.issue_with(leaf, Versions::Both)
    }

    /// The same, for some versions of TLS.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn issue_with(&mut self, leaf: &Leaf, versions: Versions) -> Judged<Identity> {
        let above = self.above.clone();
        self.issue_below(leaf, above, versions)
    }

    /// A server that sends its own certificate alone: behind an intermediate one, a mistake of its administrator's.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn issue_alone(&mut self, leaf: &Leaf) -> Judged<Identity> {
        self.issue_below(leaf, Vec::new(), Versions::Both)
    }

    fn issue_below(
        &mut self,
        leaf: &Leaf,
        above: Vec<CertificateDer<'static>>,
        versions: Versions,
    ) -> Judged<Identity> {
        self.names += 1;
        let key = KeyPair::generate().map_err(fault)?;
        let certificate = leaf.params(self.names)?.signed_by(&key, &self.issuer).map_err(fault)?;
        Identity::new([vec![certificate.der().clone()], above].concat(), &key, versions)
    }
}

impl Identity {
    /// A server that signed its own certificate.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn self_signed(leaf: &Leaf) -> Judged<Self> {
        let key = KeyPair::generate().map_err(fault)?;
        let certificate = leaf.params(0)?.self_signed(&key).map_err(fault)?;
        Self::new(vec![certificate.der().clone()], &key, Versions::Both)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: &KeyPair, versions: Versions) -> Judged<Self> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let versions: &[_] = match versions {
            Versions::Both => &[&TLS12, &TLS13],
            Versions::Only12 => &[&TLS12],
            Versions::Only13 => &[&TLS13],
        };
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .map_err(fault)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(fault)?;
        Ok(Self { config: Arc::new(config) })
    }

    /// The server's side of a new connection.
    pub(super) fn session(&self) -> io::Result<ServerConnection> {
        ServerConnection::new(Arc::clone(&self.config)).map_err(io::Error::other)
    }
}

/// The one that was compiled in; named, since a program with two would otherwise have to choose.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

fn authority_params(name: &str) -> Judged<CertificateParams> {
    let mut params = Leaf { names: Vec::new(), validity: Validity::Now }.params(0)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = Vec::new();
    Ok(params)
}

#[track_caller]
fn fault(error: impl std::fmt::Display) -> Box<Halt> {
    Halt::fault(format!("cannot make a certificate: {error}"))
}
