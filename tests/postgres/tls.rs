//! TLS to the database: refused in one sentence by a program without it, and never done without by one that has it.

use crate::support::installation::Installation;

#[test]
fn a_url_that_demands_tls_is_refused_by_a_program_without_it() {
    if cfg!(feature = "postgres-tls") {
        return;
    }
    let installation = Installation::new(None);
    for mode in ["require", "verify-ca", "verify-full"] {
        let sentence = installation.refusal(|serve| {
            serve.env("TWOFOLD_DATABASE_URL", format!("postgres://u:secret@h/d?sslmode={mode}"));
        });
        assert!(sentence.contains(mode) && sentence.contains("`postgres-tls`"), "{sentence}");
        assert!(!sentence.contains("secret"), "{sentence}");
    }
}

#[cfg(feature = "postgres-tls")]
mod with_it {
    use crate::{
        support::postgres::{Server, as_server, installed},
        with_alice,
    };
    use std::{env, net::TcpListener, path::Path, process::Command};

    /// An authority, a server's certificate for `localhost`, and an authority of somebody else.
    const CERTIFICATES: &str = "set -e
        for name in ca other; do
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$name \
            -keyout $name.key -out $name.pem
        done
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:localhost\\n' >names
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem
        chmod 600 server.key";

    /// A server that is reached by TLS at a port on loopback.
    fn server(name: &str) -> Option<Server> {
        installed()?;
        if Command::new("openssl").arg("version").output().is_err() {
            let is_required = env::var("TWOFOLD_TEST_OPENSSL").as_deref() == Ok("required");
            assert!(!is_required, "openssl is required and not installed");
            eprintln!("skipped: openssl, which makes the certificates, is not installed");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Server::at(name, port)?;
        let made = as_server(Path::new("/bin/sh"), &server.folder).args(["-c", CERTIFICATES]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.initialise();
        let files = ["ssl_cert_file=../server.pem", "ssl_key_file=../server.key"];
        server.start(&[&["ssl=on", "listen_addresses=127.0.0.1"], files.as_slice()].concat());
        Some(server)
    }

    impl Server {
        /// Where it is reached over the network.
        fn far(&self, host: &str, parameters: &str) -> String {
            let folder = self.folder.display();
            format!(
                "postgres://postgres@{host}:{}/postgres?{}",
                self.port,
                parameters.replace("{}", &folder.to_string())
            )
        }
    }

    #[actix_web::test]
    async fn the_server_is_known_by_its_authority_and_its_name() {
        let Some(server) = server("tls") else { return };
        let installation = with_alice(server.far("localhost", "sslmode=verify-full&sslrootcert={}/ca.pem"));
        let served = installation.serve();
        let (token, _) = served.set_up("alice@example.test").await;
        assert!(!token.is_empty());
        let ours = "application_name = '' AND client_addr IS NOT NULL";
        let in_clear = format!("EXISTS (SELECT 1 FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE {ours}");
        assert!(
            server.holds(&format!("{in_clear} AND s.ssl)")) && !server.holds(&format!("{in_clear} AND NOT s.ssl)"))
        );
        for (host, parameters, part) in [
            ("localhost", "sslmode=verify-full&sslrootcert={}/other.pem", "certificate verify failed"),
            ("localhost", "sslmode=verify-ca&sslrootcert={}/other.pem", "certificate verify failed"),
            ("127.0.0.1", "sslmode=verify-full&sslrootcert={}/ca.pem", "does not match host name"),
            ("localhost", "sslmode=verify-full&sslrootcert={}/none.pem", "root certificate file"),
        ] {
            let sentence = installation.refusal(|serve| {
                serve.env("TWOFOLD_DATABASE_URL", server.far(host, parameters));
            });
            assert!(sentence.contains(part), "{host} {parameters}: {sentence}");
        }
        let by_address = installation.serve_with(|serve| {
            let url = server.far("127.0.0.1", "sslmode=verify-ca&sslrootcert={}/ca.pem");
            serve.env("TWOFOLD_DATABASE_URL", url);
        });
        assert_eq!(by_address.login("alice@example.test").await["result"], "second_factor_required");
    }

    #[actix_web::test]
    async fn who_demands_tls_is_never_answered_in_the_clear() {
        let Some(server) = server("tls-off") else { return };
        let installation = with_alice(server.far("localhost", "sslmode=require"));
        server.crash();
        server.start(&["listen_addresses=127.0.0.1"]);
        for mode in ["require", "verify-ca&sslrootcert={}/ca.pem", "verify-full&sslrootcert={}/ca.pem"] {
            let sentence = installation.refusal(|serve| {
                serve.env("TWOFOLD_DATABASE_URL", server.far("localhost", &format!("sslmode={mode}")));
            });
            assert!(sentence.contains("server does not support SSL"), "{mode}: {sentence}");
        }
        let in_clear = installation.serve_with(|serve| {
            serve.env("TWOFOLD_DATABASE_URL", server.far("localhost", "sslmode=disable"));
        });
        assert_eq!(in_clear.login("alice@example.test").await["result"], "signed_in", "the server itself answers");
    }
}
