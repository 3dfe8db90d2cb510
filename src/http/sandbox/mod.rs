//! A sandbox for whoever integrates with the service: a listener beside it that tells known secrets, moves the clock,
//! and shows the mails and webhooks that the service would send. `demo --sandbox` alone starts it; what [`serve`] runs on
//! knows nothing of it.
//!
//! [`serve`]: super::server::Application

mod answers;
mod hooks;
pub mod known;
pub mod messages;

use crate::actions::clock::Tell;
use actix_web::{
    App, HttpServer,
    dev::Server,
    web::{self, PayloadConfig},
};
use jiff::{SignedDuration, Timestamp};
use messages::Messages;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::sync::{Notify, mpsc, oneshot};

/// Seconds that the clock may be ahead of the machine's: a year.
pub const AHEAD_MAX: i64 = 366 * 24 * 3600;

const BODY_MAX_BYTES: usize = 16 * 1024;

/// What a sandbox has beside the service.
pub struct Sandbox {
    /// What was caught.
    pub messages: Messages,
    /// Rings when the clock was moved.
    pub moved: Notify,
    /// Where the service is, once it is there.
    pub service: OnceLock<SocketAddr>,
    /// Where the sandbox is.
    pub address: SocketAddr,
    machine: Tell,
    /// Seconds that the clock is ahead of the machine's.
    ahead: AtomicI64,
    resets: mpsc::Sender<Reset>,
}

/// Somebody who waits for the beginning to be back.
pub type Reset = oneshot::Sender<()>;

impl Sandbox {
    /// A sandbox that goes by the machine's clock until it is moved. Whoever runs it answers `resets`.
    pub fn new(address: SocketAddr, machine: Tell, resets: mpsc::Sender<Reset>) -> Self {
        let (messages, moved, service) = (Messages::default(), Notify::new(), OnceLock::new());
        Self { messages, moved, service, address, machine, ahead: AtomicI64::new(0), resets }
    }

    /// The time of the service.
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed));
        (self.machine)().checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock; `false` when that were more than [`AHEAD_MAX`] in all.
    pub fn advance(&self, seconds: u32) -> bool {
        let moved = self.ahead.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |ahead| {
            Some(ahead + i64::from(seconds)).filter(|ahead| *ahead <= AHEAD_MAX)
        });
        self.moved.notify_one();
        moved.is_ok()
    }

    /// Puts the clock right and forgets what was caught.
    pub fn begin_anew(&self) {
        self.ahead.store(0, Ordering::Relaxed);
        self.messages.clear();
    }

    async fn reset(&self) -> bool {
        let (done, told) = oneshot::channel();
        self.resets.send(done).await.is_ok() && told.await.is_ok()
    }
}

/// A server of the sandbox; it ends when it is told to.
///
/// # Errors
/// When the listener fails.
pub fn server(sandbox: Arc<Sandbox>, listener: TcpListener) -> io::Result<Server> {
    let sandbox = web::Data::from(sandbox);
    let app = move || {
        let app = App::new().app_data(sandbox.clone()).app_data(PayloadConfig::new(BODY_MAX_BYTES));
        app.configure(answers::register)
    };
    Ok(HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_and_a_year_at_most() {
        let machine: Tell = Arc::new(|| Timestamp::UNIX_EPOCH);
        let sandbox = Sandbox::new(([127, 0, 0, 1], 0).into(), machine, mpsc::channel(1).0);
        assert!(sandbox.advance(30) && sandbox.advance(0));
        assert_eq!(sandbox.now().as_second(), 30);
        assert!(!sandbox.advance(u32::MAX) && !sandbox.advance(366 * 24 * 3600));
        assert_eq!(sandbox.now().as_second(), 30, "what is refused moves nothing");
        sandbox.begin_anew();
        assert_eq!(sandbox.now().as_second(), 0);
    }
}
