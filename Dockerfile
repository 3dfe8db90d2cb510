# The service in a slim image: built from source, run by a user without rights.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /twofold
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY src src
COPY locales locales
COPY migrations migrations
COPY web web
RUN cargo build --locked --release

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/twofold --create-home twofold
COPY --from=build /twofold/target/release/twofold /usr/local/bin/twofold
USER twofold
WORKDIR /var/lib/twofold
EXPOSE 8080 9090
ENTRYPOINT ["twofold"]
CMD ["serve"]
