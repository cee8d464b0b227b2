//! Certificates for scripted servers, good and bad, made on the spot and dated by this machine's own clock (RFC 5280).
//!
//! ```text
//!   Authority (a root that the subject is told to trust)
//!      ├─ issue(Leaf)                        a server's identity: chain and key
//!      ├─ intermediate() ── issue(Leaf)      the same behind one more certificate
//!      └─ misuse(Leaf) ──── issue(Leaf)      the same, signed by a server who is no authority
//! ```

use std::{
    io,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::{
    ServerConfig, ServerConnection,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
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
    has_addresses: bool,
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
    pem: Pem,
}

/// What a server proves itself with, as another program's configuration names it: in PEM (RFC 7468).
#[derive(Clone, Debug)]
pub struct Pem {
    /// Its certificate, and those between it and the root.
    pub chain: String,
    /// Its key.
    pub key: String,
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
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Self { names, has_addresses: true, validity: Validity::Now }
    }

    /// Enters IP addresses among its names as DNS names, which they are not (RFC 5280 section 4.2.1.6).
    #[must_use]
    pub fn addresses_as_names(mut self) -> Self {
        self.has_addresses = false;
        self
    }

    /// Sets when it holds.
    #[must_use]
    pub fn valid(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    fn params(&self, serial: u32) -> Judged<CertificateParams> {
        let mut params = CertificateParams::new(self.names.clone()).map_err(fault)?;
        if !self.has_addresses {
            let name = |name: &String| name.as_str().try_into().map(SanType::DnsName);
            params.subject_alt_names =
                self.names.iter().map(name).collect::<Result<_, _>>().map_err(fault)?;
        }
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
        let params = authority_params(name, Validity::Now)?;
        let certificate = params.self_signed(&key).map_err(fault)?;
        let pem = certificate.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem, above: Vec::new(), names: 0 })
    }

    /// An authority below this one.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn intermediate(&self, name: &str) -> Judged<Self> {
        self.intermediate_valid(name, Validity::Now)
    }

    /// The same, whose certificate holds for a time of its own.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn intermediate_valid(&self, name: &str, validity: Validity) -> Judged<Self> {
        self.below(authority_params(name, validity)?)
    }

    /// A server with a certificate by this authority, who signs those of others: nobody allowed it to.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn misuse(&mut self, leaf: &Leaf) -> Judged<Self> {
        self.names += 1;
        self.below(leaf.params(self.names)?)
    }

    fn below(&self, params: CertificateParams) -> Judged<Self> {
        let key = KeyPair::generate().map_err(fault)?;
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
        let (chain, key) = self.signed(leaf, above)?;
        Identity::new(chain, &key, versions)
    }

    /// A server that sends its own certificate alone: behind an intermediate one, a mistake of its administrator's.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn issue_alone(&mut self, leaf: &Leaf) -> Judged<Identity> {
        let (chain, key) = self.signed(leaf, Vec::new())?;
        Identity::new(chain, &key, Versions::Both)
    }

    /// Somebody who shows such a certificate without having its key. Certificates are no secret: every client of the
    /// server that it belongs to has been sent it.
    ///
    /// # Errors
    /// Fault when the machine has no randomness.
    pub fn issue_without_key(&mut self, leaf: &Leaf, versions: Versions) -> Judged<Identity> {
        let (chain, _) = self.signed(leaf, self.above.clone())?;
        Identity::new(chain, &KeyPair::generate().map_err(fault)?, versions)
    }

    /// The chain of a server, with its key.
    fn signed(
        &mut self,
        leaf: &Leaf,
        above: Vec<CertificateDer<'static>>,
    ) -> Judged<(Vec<CertificateDer<'static>>, KeyPair)> {
        self.names += 1;
        let key = KeyPair::generate().map_err(fault)?;
        let certificate = leaf.params(self.names)?.signed_by(&key, &self.issuer).map_err(fault)?;
        Ok(([vec![certificate.der().clone()], above].concat(), key))
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
        let block = |certificate: &CertificateDer<'_>| {
            pem::encode(&pem::Pem::new("CERTIFICATE", certificate.to_vec()))
        };
        let pem = Pem { chain: chain.iter().map(block).collect(), key: key.serialize_pem() };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = provider().key_provider.load_private_key(key).map_err(fault)?;
        // Not `with_single_cert`, which refuses a certificate that does not go with the key.
        let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let versions: &[_] = match versions {
            Versions::Both => &[&TLS12, &TLS13],
            Versions::Only12 => &[&TLS12],
            Versions::Only13 => &[&TLS13],
        };
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .map_err(fault)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
        Ok(Self { config: Arc::new(config), pem })
    }

    /// For a server that is another program.
    pub fn pem(&self) -> &Pem {
        &self.pem
    }

    /// The same, who speaks this application protocol alone (ALPN, RFC 7301): a client that offers others and not this
    /// one is refused, one that offers none is not.
    #[must_use]
    pub fn speaking(&self, protocol: &str) -> Self {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Self { config: Arc::new(config), pem: self.pem.clone() }
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

fn authority_params(name: &str, validity: Validity) -> Judged<CertificateParams> {
    let mut params = Leaf::new(&[]).valid(validity).params(0)?;
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

#[cfg(test)]
mod tests {
    use rustls::{
        ClientConfig, ClientConnection, RootCertStore,
        pki_types::{ServerName, pem::PemObject},
    };

    use super::*;

    /// Shakes hands in memory; why a client that trusts `root` and wants `name` does not.
    fn refusal(identity: &Identity, root: &Authority, name: &str, protocol: &str) -> Option<rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(root.pem().as_bytes()).expect("PEM")).expect("a root");
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions that the provider knows")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let mut client = ClientConnection::new(Arc::new(config), name).expect("a session");
        let mut server = identity.session().expect("a session");
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).expect("room in memory");
            }
            feed(&wire, |mut wire| server.read_tls(&mut wire));
            let refused = server.process_new_packets().err();
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).expect("room in memory");
            }
            feed(&wire, |mut wire| client.read_tls(&mut wire));
            if let Some(error) = client.process_new_packets().err().or(refused) {
                return Some(error);
            }
        }
        None
    }

    fn feed(mut wire: &[u8], mut read: impl FnMut(&[u8]) -> io::Result<usize>) {
        while !wire.is_empty() {
            let taken = read(wire).expect("records from memory");
            wire = &wire[taken..];
        }
    }

    #[test]
    fn what_is_wrong_is_wrong_in_one_way() {
        let mut root = Authority::root("root").expect("a root");
        let leaf = Leaf::new(&["a.test"]);
        let mut expired = root.intermediate_valid("expired", Validity::Expired).expect("an authority");
        let mut of_a_server = root.misuse(&Leaf::new(&["b.test"])).expect("an authority");
        let address = Leaf::new(&["127.0.0.1"]);
        for (identity, name, expected) in [
            (root.issue(&leaf), "a.test", ""),
            (root.issue(&address), "127.0.0.1", ""),
            (root.issue(&address.clone().addresses_as_names()), "127.0.0.1", "NotValidForName"),
            (expired.issue(&leaf), "a.test", "Expired"),
            (of_a_server.issue(&leaf), "a.test", "EndEntityUsedAsCa"),
            (root.issue_without_key(&leaf, Versions::Only12), "a.test", "BadSignature"),
            (root.issue_without_key(&leaf, Versions::Only13), "a.test", "BadSignature"),
        ] {
            let refusal = refusal(&identity.expect("a certificate"), &root, name, "x");
            let got = refusal.map_or(String::new(), |error| format!("{error:?}"));
            assert!(got.contains(expected) && expected.is_empty() == got.is_empty(), "{expected}: {got}");
        }
    }

    #[test]
    fn a_protocol_alone_refuses_the_others() {
        let mut root = Authority::root("root").expect("a root");
        let identity = root.issue(&Leaf::new(&["a.test"])).expect("a certificate").speaking("x");
        assert_eq!(refusal(&identity, &root, "a.test", "x"), None);
        refusal(&identity, &root, "a.test", "y").expect("a protocol that is not spoken");
    }
}
