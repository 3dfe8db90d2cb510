//! A Kannel of a test's own, with a fake centre behind it that tells what arrives.
#![allow(clippy::disallowed_methods, reason = "the environment says whether it is required")]

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub const USER: &str = "us";
pub const SECRET: &str = "p w:ü%41";

const BEARERBOX: &str = "/usr/sbin/bearerbox";
const SMSBOX: &str = "/usr/sbin/smsbox";
const FAKE_CENTRE: &str = "/usr/lib/kannel/test/fakesmsc";

/// A running gateway; it ends when it is dropped.
pub struct Kannel {
    children: Vec<Child>,
    folder: TempDir,
    told: Arc<Mutex<Vec<String>>>,
    /// Where its `sendsms` is.
    pub url: String,
}

impl Drop for Kannel {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whether there is one; unless it is required, a test does without.
fn is_installed() -> bool {
    let is_there = [BEARERBOX, SMSBOX, FAKE_CENTRE].iter().all(|path| Path::new(path).is_file());
    if !is_there {
        assert!(env::var("TWOFOLD_TEST_KANNEL").as_deref() != Ok("required"), "Kannel is required and not installed");
        eprintln!("skipped: Kannel, which is Debian's kannel and kannel-extras, is not installed");
    }
    is_there
}

impl Kannel {
    /// Starts one; none where it is not installed.
    pub fn open() -> Option<Self> {
        if !is_installed() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let [admin, boxes, centre, sendsms] = free_ports();
        let told = Arc::<Mutex<Vec<String>>>::default();
        let url = format!("http://127.0.0.1:{sendsms}/cgi-bin/sendsms");
        let mut kannel = Self { children: Vec::new(), folder, told, url };
        let file = kannel.folder.path().join("kannel.conf");
        fs::write(&file, configuration(admin, boxes, centre, sendsms)).unwrap();
        let of = |program: &str| {
            let mut command = Command::new(program);
            command.args(["-v", "4"]).arg(&file);
            command
        };
        kannel.run(of(BEARERBOX), boxes);
        kannel.run(of(SMSBOX), sendsms);
        kannel.listen(centre);
        Some(kannel)
    }

    /// Starts a part of it, and waits until it listens.
    fn run(&mut self, mut command: Command, port: u16) {
        let log = || File::create(self.folder.path().join(format!("{port}.log"))).unwrap();
        self.children.push(command.stdout(log()).stderr(log()).spawn().unwrap());
        let began = Instant::now();
        while TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "{command:?} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts the centre. It tells a line of an SMS as if it were an SMS, since its own protocol goes by lines.
    fn listen(&mut self, port: u16) {
        let mut command = Command::new(FAKE_CENTRE);
        command.args(["-H", "127.0.0.1", "-r", &port.to_string(), "-m", "0", "1 2 text none"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (lines, telling) = (BufReader::new(child.stderr.take().unwrap()).lines(), self.told.clone());
        self.children.push(child);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let message = line.split_once("Got message ").and_then(|(_, rest)| rest.split_once(": <"));
                telling.lock().unwrap().extend(message.map(|(_, text)| text.trim_end_matches('>').to_owned()));
            }
        });
    }

    /// Waits until so many lines have arrived, and tells them.
    pub fn wait(&self, count: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let told = self.told.lock().unwrap().clone();
            if told.len() >= count {
                return told;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{told:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Ports that nobody listens at. They are taken together, so that no two are the same.
fn free_ports() -> [u16; 4] {
    let listeners = [(); 4].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn configuration(admin: u16, boxes: u16, centre: u16, sendsms: u16) -> String {
    format!(
        "group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = none
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
box-deny-ip = *.*.*.*

group = smsc
smsc = fake
smsc-id = FAKE
host = 127.0.0.1
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = {USER}
password = \"{SECRET}\"
max-messages = 1
"
    )
}
