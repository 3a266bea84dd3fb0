# The jobs, the DAGs and Airflow in one image, run by an account without rights.
#
#   docker build -t ris-jobs:0.1.0-cpu .
#   docker build -t ris-jobs:0.1.0-cuda --build-arg DEVICE=cuda .
#
# cpu takes PyTorch's build without CUDA from PyTorch's own index; cuda takes the one of PyPI, which
# brings CUDA along. constraints.txt pins both to one version.

ARG PYTHON=3.11.13-slim-bookworm

FROM python:${PYTHON} AS build
ARG DEVICE=cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY sql sql
COPY ris_jobs ris_jobs
# PIP_CONSTRAINT until pip 25.2, PIP_BUILD_CONSTRAINT since: the pins hold for the build, too.
ENV PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
RUN python -m venv /opt/venv
RUN case "$DEVICE" in \
      cpu) index=--extra-index-url=https://download.pytorch.org/whl/cpu ;; \
      cuda) index= ;; \
      *) echo "DEVICE must be cpu or cuda, not $DEVICE" >&2; exit 1 ;; \
    esac; \
    /opt/venv/bin/python -m pip install --only-binary :all: $index '.[airflow,cluster,otel,s3,sftp]'

FROM python:${PYTHON}
# The kernel lets the first process of a container ignore SIGTERM: tini hands it on to the program.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 ris \
    && useradd --uid 10001 --gid ris --no-create-home --home-dir /opt/airflow ris \
    && install -d -o ris -g ris -m 0750 \
      /opt/airflow /opt/airflow/auth /opt/airflow/logs /var/lib/ris
COPY --from=build /opt/venv /opt/venv
COPY dags /opt/dags
COPY deploy/init.sh deploy/pool.sh deploy/healthy.py /opt/deploy/
# Where Airflow's chart looks for them.
COPY deploy/entrypoint.sh /entrypoint
COPY deploy/clean-logs.sh /clean-logs
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/dags \
    RIS_HOME=/var/lib/ris
USER ris
WORKDIR /opt/airflow
HEALTHCHECK --interval=60s --timeout=30s CMD ["ris", "config", "show"]
ENTRYPOINT ["tini", "--", "/entrypoint"]
CMD ["ris", "--help"]
