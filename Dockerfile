# Terroir's image: the server as one binary, with the C libraries it links, and nothing else.
# Pin by digest for a release: --build-arg SWIFT_IMAGE=swift:6.3.1-bookworm@sha256:… (the same for DEBIAN_IMAGE).
ARG SWIFT_IMAGE=swift:6.3.1-bookworm
ARG DEBIAN_IMAGE=debian:bookworm-20260518-slim

# The libraries change rarely, so they have a layer of their own, which stays cached while the sources change.
FROM ${SWIFT_IMAGE} AS tools
RUN apt-get update \
  && apt-get install -y --no-install-recommends libpq-dev libhiredis-dev libssl-dev libcurl4-openssl-dev pkg-config \
  && rm -rf /var/lib/apt/lists/*

FROM tools AS build
WORKDIR /src
COPY . .
# The cache outlives the layer, so that a changed file rebuilds only what depends on it.
RUN --mount=type=cache,target=/src/.build,sharing=locked scripts/release-binary /out

FROM ${DEBIAN_IMAGE}
RUN apt-get update \
  && apt-get install -y --no-install-recommends libpq5 libhiredis0.14 libcurl4 ca-certificates tini \
  && groupadd --gid 1001 terroir \
  && useradd --uid 1001 --gid 1001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin terroir \
  && rm -rf /var/lib/apt/lists/* /var/cache/debconf/* /var/lib/dpkg/*-old /var/log/* /usr/bin/tini-static
COPY --from=build /out/terroir /out/swift-backtrace /usr/local/bin/

# Set by scripts/image. With an empty version, the sources' own is used.
ARG VERSION=
ARG REVISION=unknown
ARG SOURCE=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Terroir" \
  org.opencontainers.image.description="API server for local growers and sellers" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.source="${SOURCE}" \
  org.opencontainers.image.created="${CREATED}"
ENV SERVICE_VERSION=${VERSION} \
  REVISION=${REVISION} \
  LOG_FORMAT=json \
  SWIFT_BACKTRACE=enable=yes,interactive=no,color=no,threads=all,sanitize=yes,swift-backtrace=/usr/local/bin/swift-backtrace

USER 1001:1001
EXPOSE 3000 9464
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["terroir", "healthcheck"]
STOPSIGNAL SIGTERM
# tini forwards signals and reaps the processes that a crash leaves behind.
ENTRYPOINT ["/usr/bin/tini", "--", "terroir"]
CMD ["serve"]
