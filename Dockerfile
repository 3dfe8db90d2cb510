# The service in a slim image: built from source, run by a user without rights, on a file system that may be read-only.
#
# SQLite, libpq and the cryptography are compiled in; what the program loads is the C library of Debian (libc, libm,
# libgcc_s) and nothing else. So its runtime is distroless/cc of the same Debian: no shell, no package manager.
FROM rust:1.95-slim-bookworm AS build
# perl and make are for OpenSSL, which libpq has here: the feature `postgres-tls`. Whichever version is there will do.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends make perl && rm -rf /var/lib/apt/lists/*
WORKDIR /twofold
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY benches benches
COPY src src
COPY locales locales
COPY migrations migrations
COPY web web
RUN cargo build --locked --release --bin twofold --features postgres-tls && mkdir -p /empty

FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Twofold" \
      org.opencontainers.image.description="Manages two-factor authentication for customer portals" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /twofold/target/release/twofold /usr/local/bin/twofold
# A named volume takes its owner from here.
COPY --from=build --chown=65532:65532 /empty /var/lib/twofold
# By number: an orchestrator cannot know that a name is not root's.
USER 65532:65532
WORKDIR /var/lib/twofold
ENV TWOFOLD_LISTEN=0.0.0.0:8080
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=15s --start-period=30s --retries=3 CMD ["/usr/local/bin/twofold", "health"]
ENTRYPOINT ["/usr/local/bin/twofold"]
CMD ["serve"]
