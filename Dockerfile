# `docker build --tag esdash .`, or podman. How it is run stands in esdash/OPERATING.md, "In a container".
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
COPY pyproject.toml README.md LICENSE /src/
COPY esdash /src/esdash
RUN python3 -m venv /opt/esdash && /opt/esdash/bin/pip install --no-cache-dir '/src[service,web]'

FROM ${BASE}
COPY --from=build /opt/esdash /opt/esdash
# Settings, the past and the embedded server's data lie in the home of a user that is not root: the one volume.
RUN useradd --uid 10001 --home-dir /data --no-create-home esdash && install --directory --owner esdash /data
ENV PATH=/opt/esdash/bin:$PATH HOME=/data LANG=C.UTF-8
USER esdash
WORKDIR /data
VOLUME /data
ENTRYPOINT ["esdash"]
