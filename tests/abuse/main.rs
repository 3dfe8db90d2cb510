//! The service as an attacker finds it: every abuse case of the security page, by its letter and number.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod a_disable;
mod b_codes;
mod c_enrolment;
mod d_bypass_codes;
mod d_recovery_codes;
mod doors;
mod e_lifetimes;
mod e_login;
mod e_network;
mod f_tokens;
mod forger;
mod g_authorisation;
mod g_partner;
mod g_support;
mod h_http;
mod h_problems;
mod h_smuggling;
mod h_sockets;
mod i_leaks;
mod i_metrics;
mod k_idempotency;
mod m_audit;
mod n_undo;
mod o_devices;
mod p_policy;
mod s_sent_codes;
mod w_passkeys;
mod w_switch;
