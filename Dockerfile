# policyengine in a container: no root, no pip, git for `review`.
#
#   docker build --tag policyengine .
#   docker run --rm --volume "$PWD:/work:ro" policyengine scan .
#
# The base is pinned by version here. A digest names one build of it, which changes every few weeks: a release passes the
# one it was tested with, `--build-arg BASE=python:3.12.12-slim-bookworm@sha256:…`.
ARG BASE=python:3.12.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE CHANGELOG.md ./
COPY rules ./rules
COPY frameworks ./frameworks
COPY remediations ./remediations
COPY integrations ./integrations
COPY policyengine ./policyengine
RUN python -m venv --without-pip /opt/policyengine \
 && python -m pip --python /opt/policyengine/bin/python --no-cache-dir --disable-pip-version-check \
      install --constraint constraints.txt ".[sam]"

FROM ${BASE}
LABEL org.opencontainers.image.title="policyengine" \
      org.opencontainers.image.description="Policy-as-code compliance engine for AWS" \
      org.opencontainers.image.licenses="Apache-2.0"
# Debian's archive keeps one version of git: a pinned one could not be built again.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/* \
 && git config --system --add safe.directory /work \
 && groupadd --gid 10001 policyengine \
 && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin policyengine
COPY --from=build /opt/policyengine /opt/policyengine
ENV PATH="/opt/policyengine/bin:$PATH"
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["policyengine"]
CMD ["--help"]
