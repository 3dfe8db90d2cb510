//! `account export`: accounts as JSON lines.

use crate::{
    actions::operator::export as exporting,
    cli::{Failure, act, out::Broken},
    config::Config,
    domain::transfer::{Entry, rows},
};
use clap::Args;
use std::io::{BufWriter, Write, stdout};

/// What to export.
#[derive(Args)]
pub struct Export {
    /// Export password hashes and TOTP secrets, too: whoever has the file can sign in as anybody in it, sooner or later.
    #[arg(long)]
    with_secrets: bool,
    /// Tell on standard error, as JSON, what was exported; the accounts themselves are JSON in any case.
    #[arg(long)]
    json: bool,
}

/// Exports accounts.
pub fn export(config: &Config, export: &Export) -> Result<(), Failure> {
    let with_secrets = export.with_secrets;
    let mut out = BufWriter::new(stdout().lock());
    let broken = Broken::default();
    let keep = |entry: &Entry| writeln!(out, "{}", rows::line(entry)).map_err(|error| broken.keep(error));
    let exported = broken.or(act(config, async |cx: &_| exporting::export(cx, with_secrets, keep).await))?;
    out.flush()?;
    if export.json {
        eprintln!("{}", serde_json::json!(exported));
        return Ok(());
    }
    eprintln!("{} accounts exported", exported.accounts);
    if !with_secrets {
        eprintln!("password hashes and TOTP secrets are left out: --with-secrets exports them");
    }
    if exported.further_authenticators > 0 {
        eprintln!("{} further authenticators are left out: one goes with an account", exported.further_authenticators);
    }
    if exported.passkeys > 0 {
        eprintln!(
            "{} passkeys are left out: they work for no other domain, so their owners set them up anew",
            exported.passkeys
        );
    }
    if exported.sent_codes > 0 {
        eprintln!(
            "{} mailboxes and telephones that codes are sent to are left out: their owners set them up again",
            exported.sent_codes
        );
    }
    if exported.with_scope > 0 {
        eprintln!("the scopes of {} accounts are left out: grant them by hand", exported.with_scope);
    }
    Ok(())
}
