//! What systemd is told of a `serve`, over the socket that it names in `NOTIFY_SOCKET` (sd_notify(3)): that the service
//! is ready, how it is, that it is alive, that it stops. Without that variable nothing is told to anybody.

use crate::http::server::runtime::signal::unix::{SignalKind, signal};
use sd_notify::NotifyState;
use std::time::Duration;

/// Who started the service, and what it was told last.
#[derive(Default)]
pub struct Supervisor {
    is_ready: bool,
    told: Option<Result<(), &'static str>>,
}

impl Supervisor {
    /// Tells how the service is, whenever that changes, and each time that it is alive: a process that is stuck does not
    /// come here. It has started up once both listeners are bound and the database has answered; what fails later is
    /// the status alone, since a restart mends no database.
    pub fn hear(&mut self, checked: Result<(), &'static str>) {
        let status = checked.map_or_else(|why| format!("answering 503: {why}"), |()| "ready".to_owned());
        let mut states = vec![NotifyState::Watchdog];
        if self.told.replace(checked) != Some(checked) {
            states.push(NotifyState::Status(&status));
        }
        if checked.is_ok() && !self.is_ready {
            self.is_ready = true;
            states.push(NotifyState::Ready);
        }
        tell(&states);
    }
}

/// How often systemd must hear of a life: twice in the time that it gives (sd_watchdog_enabled(3)), or as we like.
pub fn patience() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

/// Waits for the signal that ends the service, and tells that it stops; who handles the signal is the server.
pub async fn announce_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tell(&[NotifyState::Stopping, NotifyState::Status("answering the requests in flight")]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("systemd cannot be told: {error}");
    }
}
