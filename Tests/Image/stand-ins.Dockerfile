# Stand-ins for the public images, from Debian's packages: for an engine that cannot pull. Each keeps what compose
# relies on: user ids, paths, entry point and the variables it reads. Built by Tests/Image/stand-ins.
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE} AS base
# hadolint ignore=DL3009 # the stages based on it install from the same lists
RUN apt-get update && apt-get install -y --no-install-recommends wget curl openssl

FROM base AS postgres
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \
  && apt-get install -y --no-install-recommends postgresql \
  && rm -rf /var/lib/postgresql/* && install -d -o postgres -g postgres /var/lib/postgresql/data && install -d -m 3777 /var/run/postgresql
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data
COPY postgres-entrypoint /usr/local/bin/
RUN ln -s postgres-entrypoint /usr/local/bin/docker-entrypoint.sh
ENTRYPOINT ["postgres-entrypoint"]

FROM base AS redis
RUN groupadd --gid 999 redis && useradd --uid 999 --gid 999 redis \
  && apt-get install -y --no-install-recommends redis-server && install -d -o redis -g redis /data \
  && cp -L /usr/bin/redis-server /usr/bin/redis-cli /usr/local/bin/
WORKDIR /data

FROM base AS nginx
RUN groupadd --gid 101 nginx && useradd --uid 101 --gid 101 nginx \
  && apt-get install -y --no-install-recommends nginx libnginx-mod-stream && mkdir -p /docker-entrypoint.d
COPY nginx-entrypoint /docker-entrypoint.sh
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["nginx", "-g", "daemon off;"]
STOPSIGNAL SIGQUIT

FROM base AS certbot
RUN apt-get install -y --no-install-recommends certbot
# Not a stand-in: an ACME authority for tests, which authority.yml starts.
FROM base AS authority
RUN apt-get install -y --no-install-recommends pebble

FROM base AS monitoring
RUN apt-get install -y --no-install-recommends prometheus prometheus-alertmanager prometheus-node-exporter \
  prometheus-postgres-exporter prometheus-redis-exporter prometheus-nginx-exporter prometheus-blackbox-exporter \
  && install -d -o nobody -g nogroup /prometheus /alertmanager && ln -s /usr/bin/prometheus-alertmanager /bin/alertmanager
RUN apt-get install -y --no-install-recommends procps
USER 65534:65534

FROM monitoring AS prometheus
ENTRYPOINT ["prometheus"]
FROM monitoring AS alertmanager
ENTRYPOINT ["alertmanager"]
FROM monitoring AS node-exporter
ENTRYPOINT ["prometheus-node-exporter"]
FROM monitoring AS postgres-exporter
ENTRYPOINT ["prometheus-postgres-exporter"]
FROM monitoring AS redis-exporter
ENTRYPOINT ["prometheus-redis-exporter"]
FROM monitoring AS nginx-exporter
ENTRYPOINT ["/bin/sh", "-c", "exec prometheus-nginx-exporter $(echo \"$@\" | sed 's/--nginx/-nginx/')", "sh"]
FROM monitoring AS blackbox-exporter
ENTRYPOINT ["prometheus-blackbox-exporter"]

# An empty page where Grafana's health check looks; nothing of Grafana itself.
FROM base AS grafana
RUN apt-get install -y --no-install-recommends busybox && install -D /dev/null /pages/api/health
USER 472
ENTRYPOINT ["busybox", "httpd", "-f", "-p", "3000", "-h", "/pages"]

# The host's toolchain goes here: the packages that the official image installs for it.
FROM base AS swift
RUN apt-get install -y --no-install-recommends binutils libc6-dev libgcc-12-dev libstdc++-12-dev libcurl4-openssl-dev \
  libxml2-dev libedit2 libsqlite3-0 libncurses6 libpython3.11 libz3-4 zlib1g-dev tzdata pkg-config git gnupg2 unzip
