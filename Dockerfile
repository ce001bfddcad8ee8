# Postern in a container.
#
#     docker build -t postern .
#     docker run --name postern -p 25:25 \
#       -v ./postern.yaml:/etc/postern/postern.yaml:ro \
#       -v postern-state:/var/lib/postern -v mail:/var/mail postern
#
# A first look without a configuration (mail for anybody@localhost):
#     docker run -p 2525:2525 -e POSTERN_LISTENERS_INBOUND_LISTEN=0.0.0.0:2525 postern

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npx tsc -p tsconfig.build.json

FROM node:24-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="postern" org.opencontainers.image.licenses="MIT"
WORKDIR /opt/postern
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./
COPY config ./config
COPY rules ./rules
# The image's own unprivileged user, uid 1000. Docker (20.10 and newer) sets
# net.ipv4.ip_unprivileged_port_start to 0 in a container's own network, so that
# it may open port 25. Where that is not so (other engines, --network host),
# listen on a port above 1023. A volume that is bound from the
# host (-v ./mail:/var/mail) has to belong to uid 1000 there.
RUN mkdir -p /var/lib/postern /var/mail /etc/postern && chown node:node /var/lib/postern /var/mail
USER node
# Where the embedded default keeps its mail, and where relative paths begin that are given in variables.
WORKDIR /var/lib/postern
VOLUME ["/var/lib/postern", "/var/mail"]
EXPOSE 25 465 587 2525
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=10s CMD ["node", "/opt/postern/dist/main.js", "health"]
# No init is needed as process 1: Postern answers the signals itself, waits for
# every worker that it starts, and starts nothing that leaves orphans.
# `docker stop` waits 10 s, timeouts.stop is 30 s: run with --stop-timeout 40.
ENTRYPOINT ["node", "/opt/postern/dist/main.js"]
CMD ["run"]
