//! `serve`: runs the service until SIGTERM.

use super::{
    Failure, key_path, keys, logging, mail, out, rooms, sms,
    supervisor::{self, Supervisor},
    system_clock,
};
use crate::{
    actions::{Rooms, keys::lacking, presence::Presence},
    config::Config,
    crypto::watch::Watch,
    http::server::{Application, runtime},
    store::Store,
    worker::{self, issuer::Source, mail::Mail, outbox, sms::SmsSender, webhooks::Webhooks},
};
use std::{rc::Rc, sync::Arc};
use tokio::sync::Notify;

/// Serves as the configuration says.
pub fn run(config: &Config) -> Result<(), Failure> {
    logging::start(&config.log, config.log_format);
    let file = Watch::of(key_path(config)?);
    let keys = keys(config)?;
    let (mail, sms) = (mail::channel(config)?, sms::sender(config)?);
    let _lock = Store::claim(&config.location()?)?;
    runtime::System::new().block_on(async {
        let rooms = Arc::new(rooms(config, &keys, system_clock())?);
        // Nobody is served by keys that open nothing; a database that does not answer now is told by the probe.
        if let Ok(Some(lacking)) = lacking(&rooms).await {
            return Err(Failure::configuration(&lacking.to_string()));
        }
        let application =
            Application::build(config, rooms.clone()).map_err(|error| Failure::configuration(&error.to_string()))?;
        // Before the first request; a database that does not answer now is told by the probe.
        let _ = rooms.compare_clocks().await;
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let presence = Arc::new(Presence::begin(format!("{machine} {}", application.address))?);
        // Whoever exchanges keys must know of this replica before it makes anything with one.
        let _ = presence.report(&rooms).await;
        out::done(format_args!(
            "twofold is ready: http://{} (operations: http://{})",
            application.address, application.operations_address
        ));
        let portal = rooms.portal.clone().zip(config.portal.jwks.as_deref().map(Source::parse));
        let following = portal.map(|(issuer, source)| runtime::spawn(worker::issuer::follow(issuer, source)));
        let mut supervisor = Supervisor::default();
        let numbered = Arc::<Notify>::default();
        let webhooks = Rc::new(Webhooks::new(rooms.egress).map_err(Failure::new)?);
        let tell = move |checked| supervisor.hear(checked);
        let beside = [
            runtime::spawn(worker::compare_clocks(rooms.clone(), supervisor::patience(), tell)),
            runtime::spawn(supervisor::announce_stop()),
            runtime::spawn(worker::keep_keys(rooms.clone(), file, presence.clone())),
            runtime::spawn(worker::anchor(rooms.clone())),
            runtime::spawn(worker::prune(rooms.clone())),
            runtime::spawn(worker::prune_events(rooms.clone())),
            runtime::spawn(worker::reminders::remind(rooms.clone())),
            runtime::spawn(outbox::number(rooms.clone(), numbered.clone())),
            runtime::spawn(outbox::measure(rooms.clone())),
            runtime::spawn(outbox::deliver(rooms.clone(), webhooks, numbered.clone())),
            runtime::spawn(worker::webhooks::tidy(rooms.clone())),
        ];
        let sending = send(&rooms, mail, sms, &numbered);
        let outcome = application.run().await;
        beside.iter().chain(&following).chain(&sending).for_each(runtime::task::JoinHandle::abort);
        // One that cannot say so is silent soon, which says the same.
        let _ = presence.leave(&rooms).await;
        Ok(outcome?)
    })
}

/// Begins to send mails and SMS, where there is something to send them by.
fn send(
    rooms: &Arc<Rooms>,
    mail: Option<Mail>,
    sms: Option<SmsSender>,
    numbered: &Arc<Notify>,
) -> Vec<runtime::task::JoinHandle<()>> {
    let mut sending = Vec::new();
    if let Some(mail) = mail.map(Rc::new) {
        sending.push(runtime::spawn(worker::mail::notices::tell(rooms.clone(), mail.clone())));
        sending.push(runtime::spawn(worker::codes::send(rooms.clone(), mail.clone())));
        sending.push(runtime::spawn(outbox::deliver(rooms.clone(), mail, numbered.clone())));
    }
    if let Some(sms) = sms {
        sending.push(runtime::spawn(worker::codes::send(rooms.clone(), Rc::new(sms))));
        sending.push(runtime::spawn(worker::codes::measure(rooms.clone())));
    }
    sending
}
