//! `demo`: a throw-away installation that shows what the service does, over real HTTP.

use super::{Failure, logging, out, rooms, sandbox, system_clock, walk};
use crate::{
    actions::{Cx, operator},
    config::{Config, LogFormat},
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        password,
    },
    domain::{account::Email, event::Origin, password::Password},
    http::server::{Application, runtime},
    store::{self, accounts::NewAccount},
};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

const EMAIL: &str = "alice@example.test";
const PASSWORD: &str = "correct horse battery";
/// Fast enough to watch; `serve` refuses it.
pub(super) const COST: u32 = 8;

/// How to show it.
#[derive(clap::Args, Default)]
pub struct Args {
    /// End after the walk, with a status that says whether it held.
    #[arg(long)]
    exit: bool,
    /// Serve for tests instead: accounts with known secrets, a clock that moves, and a page of what would be sent.
    #[arg(long, conflicts_with = "exit")]
    sandbox: bool,
    /// Where a sandbox serves, on this machine; its own page is at the next port.
    #[arg(long, value_name = "ADDRESS", requires = "sandbox", default_value = "127.0.0.1:8080")]
    listen: Option<SocketAddr>,
}

/// A folder that goes with the demo.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one for the process, and for its `n`-th installation.
    pub(super) fn make(n: usize) -> Result<Self, Failure> {
        let folder = Self(PathBuf::from(format!("target/demo-{}-{n}", std::process::id())));
        fs::create_dir_all(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is overwritten by nothing: the next demo has a folder of its own.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the demo. It reads neither environment nor file.
pub fn run(args: &Args) -> Result<(), Failure> {
    if let Some(address) = args.listen.filter(|_| args.sandbox) {
        return sandbox::run(address);
    }
    logging::start("warn", LogFormat::Text);
    let folder = Folder::make(0)?;
    let config = config(&folder)?;
    store::migrate(&config.location()?)?;
    let keys = KeyFile::generate(SigningAlgorithm::default(), true)?;
    runtime::System::new().block_on(async {
        let rooms = Arc::new(rooms(&config, &keys, system_clock())?);
        add_account(&Cx::new(rooms.clone(), origin())?).await?;
        let application = Application::build(&config, rooms)?;
        let (base, operations) = (format!("http://{}", application.address), application.operations_address);
        let handle = application.handle();
        let serving = runtime::spawn(application.run());
        let target = base.clone();
        let walked = runtime::task::spawn_blocking(move || walk::walk(&target, EMAIL, PASSWORD, &system_clock())).await;
        let walked = walked.map_err(Failure::new)?.map_err(Failure::new);
        if args.exit || walked.is_err() {
            handle.stop(true).await;
        } else {
            out::done(format_args!("\nServing on {base} (operations: http://{operations}); Ctrl-C ends it."));
            out::done(format_args!(
                "The account is {EMAIL} with the password {PASSWORD:?}. The API in Swagger UI: {base}/docs"
            ));
        }
        serving.await.map_err(Failure::new)??;
        walked
    })
}

pub(super) fn config(folder: &Folder) -> Result<Config, Failure> {
    let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok(Config {
        listen: free_port,
        ops_listen: free_port,
        database_url: format!("sqlite://{}/twofold.db", folder.0.display()),
        bcrypt_cost: COST,
        docs: true,
        ..Config::defaults()?
    })
}

async fn add_account(cx: &Cx) -> Result<(), Failure> {
    let password = Password::chosen(PASSWORD.to_owned(), "/password")?;
    let hash = password::hash_now(&password, COST)?;
    operator::add_account(cx, NewAccount::of(Email::parse(EMAIL, "/email")?, hash)).await?;
    Ok(())
}

pub(super) fn origin() -> Origin {
    Origin { request_id: "demo".to_owned(), ip: IpAddr::V4(Ipv4Addr::LOCALHOST), user_agent: String::new() }
}
