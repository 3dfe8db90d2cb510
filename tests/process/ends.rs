//! How commands end whose output nobody reads to its end.

use crate::support::installation::{Installation, PASSWORD};
use std::{
    io::{Write, pipe},
    process::{Output, Stdio},
};

/// Runs a command whose reader has gone.
fn unread(installation: &Installation, arguments: &[&str], input: &str) -> Output {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = installation.command();
    command.args(arguments).stdin(Stdio::piped()).stdout(writer).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_command_whose_reader_has_read_enough_ends_without_a_word() {
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let set = ["account", "set-password", "--email", "alice@example.test", "--password-stdin"];
    assert!(installation.run(&set, "another password\n").status.success(), "there is something to export");
    for arguments in [
        ["config", "show"].as_slice(),
        &["config", "template"],
        &["account", "list"],
        &["account", "export"],
        &["audit", "export"],
        &["audit", "verify"],
        &["doctor"],
        &["openapi"],
        &["man"],
        &["completions", "bash"],
    ] {
        let ended = unread(&installation, arguments, "");
        assert_eq!(String::from_utf8(ended.stderr).unwrap(), "", "{arguments:?}");
        // What a shell shows of a program that SIGPIPE has ended.
        assert_eq!(ended.status.code(), Some(141), "{arguments:?}");
    }
}

#[test]
fn what_is_done_stays_done_when_nobody_reads_of_it() {
    let installation = Installation::ready(None);
    let added = unread(
        &installation,
        &["account", "add", "--email", "alice@example.test", "--password-stdin"],
        &format!("{PASSWORD}\n"),
    );
    assert_eq!((added.status.code(), String::from_utf8(added.stderr).unwrap()), (Some(0), String::new()));
    assert_eq!(installation.succeeds(&["account", "list"]).lines().count(), 1);
}
