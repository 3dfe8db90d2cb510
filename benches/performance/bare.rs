//! The upper limit of every answer: actix with nothing behind it, in a process of its own.

use super::{Outcome, server::Server};
use actix_web::{App, HttpResponse, HttpServer, http::header::ContentType, web};
use std::process::Command;
use twofold::http::server::runtime;

/// The argument that makes this program that server.
pub const ARGUMENT: &str = "bare-server";

/// Starts it in a child: as many workers as the service has, and a body of so many bytes.
pub fn start(bytes: usize) -> Outcome<Server> {
    Server::start(Command::new(std::env::current_exe()?).arg(ARGUMENT).arg(bytes.to_string()))
}

/// Is it.
pub fn serve(bytes: usize) -> Outcome<()> {
    let body: &'static str = format!("{{\"padding\":\"{}\"}}", "x".repeat(bytes.saturating_sub(14))).leak();
    let answer = move || async move { HttpResponse::Ok().content_type(ContentType::json()).body(body) };
    let workers = std::thread::available_parallelism()?.get();
    runtime::System::new().block_on(async {
        let server = HttpServer::new(move || App::new().route("/account/security/2fa", web::get().to(answer)));
        let server = server.workers(workers).bind(("127.0.0.1", 0))?;
        println!("ready: http://{}", server.addrs()[0]);
        Ok(server.run().await?)
    })
}
