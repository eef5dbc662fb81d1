# One image for every process of the city; docker-compose.yml says which command each service runs.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

COPY requirements.lock ./
RUN pip install -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY adapters adapters
COPY contract contract
COPY deploy deploy
COPY gateway gateway
COPY gwc gwc
COPY overlay overlay
COPY schema schema
COPY subgraphs subgraphs
RUN pip install --no-deps --no-build-isolation --editable . && useradd --create-home gwc && mkdir -p /srv/gwc && chown gwc /srv/gwc

USER gwc
ENV GWC_DATA_DIR=/srv/gwc
ENTRYPOINT ["gwc"]
CMD ["up", "--host", "0.0.0.0"]
