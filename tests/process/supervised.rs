//! What watches over a `serve`: systemd on its socket, and whoever asks with `health`.

use crate::support::{
    installation::{Installation, Served},
    person::STATUS,
    postgres::Server,
};
use rustix::process::{Signal, geteuid};
use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{PermissionsExt, chown},
        net::UnixDatagram,
        process::CommandExt,
    },
    process::Output,
    time::{Duration, Instant},
};

const NOBODY: u32 = 65534;

/// The end of the socket that systemd would hold.
struct Supervisor {
    socket: UnixDatagram,
    path: String,
}

impl Supervisor {
    fn listen(installation: &Installation) -> Self {
        let path = installation.path("notify");
        Self { socket: UnixDatagram::bind(&path).unwrap(), path }
    }

    /// A `serve` that it started and watches.
    fn serve(&self, installation: &Installation, watchdog: &str) -> Served {
        installation.serve_with(|serve| {
            serve.env("NOTIFY_SOCKET", &self.path).env("WATCHDOG_USEC", watchdog);
        })
    }

    /// What it is told next, where that comes in time.
    fn hears_within(&self, limit: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(limit)).unwrap();
        let mut told = [0; 512];
        let length = self.socket.recv(&mut told).ok()?;
        Some(String::from_utf8(told[..length].to_vec()).unwrap())
    }

    /// What it is told with `part` in it.
    fn waits_for(&self, part: &str) -> String {
        let began = Instant::now();
        loop {
            let told = self.hears_within(Duration::from_secs(20)).unwrap_or_else(|| panic!("nothing, not {part}"));
            if told.contains(part) {
                return told;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "it is told other things, but not {part}");
        }
    }
}

/// Asks as a container does: the settings say where.
fn health(installation: &Installation, served: &Served) -> Output {
    let address = served.operations().replace("http://", "");
    installation.command().arg("health").env("TWOFOLD_OPS_LISTEN", address).output().unwrap()
}

fn one_line(bytes: &[u8]) -> String {
    let shown = String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(shown.lines().count(), 1, "{shown}");
    shown.trim_end().to_owned()
}

#[actix_web::test]
async fn systemd_hears_that_the_service_is_ready_lives_and_stops() {
    let installation = Installation::ready(None);
    let systemd = Supervisor::listen(&installation);
    let mut served = systemd.serve(&installation, "1000000");
    assert_eq!(systemd.waits_for("READY=1"), "WATCHDOG=1\nSTATUS=ready\nREADY=1\n");
    assert_eq!(served.get(STATUS, "no token").await.0, 401, "the public listener answers");
    let probe = reqwest::get(format!("{}/readyz", served.operations())).await.unwrap();
    assert_eq!(probe.status(), 200);
    for _ in 0..3 {
        let told = systemd.hears_within(Duration::from_millis(900)).unwrap();
        assert_eq!(told, "WATCHDOG=1\n", "what was told is not told again");
    }
    served.signal(Signal::STOP);
    while systemd.hears_within(Duration::from_millis(100)).is_some() {}
    assert_eq!(systemd.hears_within(Duration::from_secs(2)), None, "a process that is stuck is silent");
    served.signal(Signal::CONT);
    systemd.waits_for("WATCHDOG=1");
    assert_eq!(served.terminate(), 0);
    assert_eq!(systemd.waits_for("STOPPING=1"), "STOPPING=1\nSTATUS=answering the requests in flight\n");
}

#[test]
fn a_service_without_its_database_is_alive_and_not_healthy() {
    let Some(server) = Server::new("supervised") else { return };
    server.initialise();
    server.start(&["fsync=off"]);
    let installation = Installation::ready(Some(server.url("postgres")));
    let systemd = Supervisor::listen(&installation);
    let served = systemd.serve(&installation, "1000000");
    systemd.waits_for("READY=1");
    let asked = health(&installation, &served);
    assert_eq!((asked.status.code(), one_line(&asked.stdout).as_str()), (Some(0), "ready"));
    server.crash();
    systemd.waits_for("STATUS=answering 503: the database does not answer");
    let asked = health(&installation, &served);
    assert_eq!(asked.status.code(), Some(1));
    assert_eq!(one_line(&asked.stderr), "twofold: not ready: the database does not answer");
    systemd.waits_for("WATCHDOG=1");
    server.start(&["fsync=off"]);
    assert_eq!(systemd.waits_for("STATUS=ready"), "WATCHDOG=1\nSTATUS=ready\n", "it starts up once");
    assert!(health(&installation, &served).status.success());
}

#[test]
fn keys_that_root_hands_to_the_service_are_taken_and_no_others_of_a_group() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can hand a file to somebody");
        return;
    }
    let fresh = Installation::new(None);
    chown(fresh.folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let refusal = |owner: u32, mode: u32| {
        chown(fresh.path("keys.toml"), Some(owner), Some(NOBODY)).unwrap();
        fs::set_permissions(fresh.path("keys.toml"), Permissions::from_mode(mode)).unwrap();
        fresh.refusal(|serve| {
            serve.uid(NOBODY).gid(NOBODY);
        })
    };
    // Past the keys, the next thing that is missing is the database.
    for (owner, mode) in [(NOBODY, 0o400), (NOBODY, 0o600), (0, 0o440)] {
        assert!(refusal(owner, mode).contains("run `twofold migrate`"), "{mode:04o} of {owner}");
    }
    for (owner, mode) in [(NOBODY, 0o440), (0, 0o444), (1, 0o440)] {
        assert!(refusal(owner, mode).contains("others can reach it"), "{mode:04o} of {owner}");
    }
}

#[test]
fn nobody_at_the_address_is_not_healthy() {
    let installation = Installation::ready(None);
    // The settings name port 0, where nobody can listen.
    for (arguments, part) in [
        (&["health"][..], "no answer from 127.0.0.1:0"),
        (&["health", "--address", "127.0.0.1:1"], "no answer from 127.0.0.1:1"),
        (&["health", "--config", "/nonexistent.toml"], "no configuration file"),
    ] {
        let asked = installation.run(arguments, "");
        assert_eq!(asked.status.code(), Some(1), "{arguments:?}");
        let sentence = one_line(&asked.stderr);
        assert!(sentence.contains(part), "{arguments:?}: {sentence}");
    }
    let served = installation.serve();
    let operations = served.operations().replace("http://", "");
    assert_eq!(one_line(&installation.run(&["health", "--address", &operations], "").stdout), "ready");
    let public = served.base.replace("http://", "");
    let asked = installation.run(&["health", "--address", &public], "");
    assert_eq!(asked.status.code(), Some(1));
    assert!(one_line(&asked.stderr).contains("is no Twofold"), "the public listener has no probes");
}
