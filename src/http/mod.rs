//! The only room with actix and utoipa: requests come in as bytes and leave as commands, outcomes come
//! back and leave as bytes. No decision is made here.

mod account;
mod address;
mod auth;
mod body;
mod caller;
mod consents;
mod deliveries;
mod devices;
mod disable;
mod enrollment;
mod envelope;
mod examples;
mod language;
mod links;
mod metrics;
mod oauth;
pub mod openapi;
mod ops;
mod pages;
mod partner;
mod partner_caller;
mod partner_events;
mod problem;
mod problems;
mod routes;
pub mod sandbox;
pub mod server;
mod shapes;
mod start;
mod status_body;
mod support;
mod trace;
pub mod traffic;
mod two_factor;
mod webhooks;
mod well_known;
