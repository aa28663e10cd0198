# ramen-guard as one static file, and nothing else: no shell, no C library, no package to update.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --tag REGISTRY/ramen-guard:0.1.0 --push .
#
# Each architecture is cross-compiled, so a machine of either builds both without emulation.
FROM --platform=$BUILDPLATFORM docker.io/library/rust:1.95-bookworm AS build
ARG TARGETARCH
RUN dpkg --add-architecture "$TARGETARCH" \
    && apt-get update \
    && apt-get install --yes --no-install-recommends clang llvm \
    && cd /tmp \
    && apt-get download "musl-dev:$TARGETARCH" \
    && dpkg --extract musl-dev_*.deb /musl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN export MUSL_HEADERS="$(echo /musl/usr/include/*-linux-musl)" \
    && binary="$(image/static "$TARGETARCH")" \
    && cp "$binary" /ramen-guard

FROM scratch
COPY --from=build /ramen-guard /ramen-guard
# Not root, and named by number, so that the kubelet can tell.
USER 65532:65532
EXPOSE 9443 8080
ENTRYPOINT ["/ramen-guard"]
