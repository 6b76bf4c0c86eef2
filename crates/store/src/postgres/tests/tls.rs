//! What is sent to a server that speaks TLS, and to one that only says it is somebody.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::*;

/// An authority, and what it signs.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self {
            certificate,
            issuer,
        }
    }

    /// The certificate of a server, and its key.
    fn signs(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// Writes a file as the server's own user, into its own folder.
fn put(server: &Server, file: &str, text: &str) {
    let lines = format!("select unnest(string_to_array('{text}', chr(10)))");
    let write = format!("copy ({lines}) to program 'umask 077; cat > {file}'");
    server.sql("postgres", &write).unwrap();
}

/// [O09] A server proves who it is, unless the operator says that it need not.
#[tokio::test]
async fn a_server_proves_who_it_is() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.signs("localhost");
    let server = Server::start_with(cluster::Durability::None).unwrap();
    put(&server, "server.crt", &certificate);
    put(&server, "server.key", &key);
    server
        .sql("postgres", "alter system set ssl = on")
        .and_then(|_| server.sql("postgres", "select pg_reload_conf()"))
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let root = |name: &str, authority: &Authority| {
        let path = dir.path().join(name);
        fs::write(&path, &authority.certificate).unwrap();
        path.display().to_string()
    };
    let (ours, theirs) = (root("ours.pem", &authority), root("theirs.pem", &other));
    let here = server.database().unwrap();
    let named = here.replace("127.0.0.1", "localhost");

    for address in [
        format!("{here}?sslmode=require"),
        format!("{named}?sslmode=verify-full&sslrootcert={ours}"),
        format!("{named}?sslmode=require&sslrootcert={ours}&channel_binding=require"),
    ] {
        let address = Address::parse(&address).unwrap();
        let store = speaks_tls(&address).await;
        let conn = store.pool.get().await.unwrap();
        let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
        assert!(conn.query_one(sql, &[]).await.unwrap().get::<_, bool>(0));
    }
    for address in [
        format!("{here}?sslmode=verify-full&sslrootcert={ours}"),
        format!("{named}?sslmode=verify-full&sslrootcert={theirs}"),
        format!("{named}?sslmode=require&sslrootcert={theirs}"),
        format!("{named}?sslmode=verify-full"),
    ] {
        let refused = chain(&open(&address).await.unwrap_err());
        assert!(refused.contains("could not prove who it is"), "{refused}");
    }
}

/// The server takes a moment to read its settings.
async fn speaks_tls(address: &Address) -> Postgres {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        match Postgres::open(address, keys()).await {
            Ok(store) => return store,
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{}", chain(&error)),
        }
    }
}
