#!/bin/sh
# Makes what the services share, once: keys, the sample city, its copies in the database servers, the supergraph.
# Every step may be repeated: what is there already is kept.
set -eu
password="${GWC_DB_PASSWORD:-gongwucang}"
city=/srv/gwc/city

gwc keys
gwc city generate --size "${GWC_CITY_SIZE:-small}" --seed 2022 --out "$city"
gwc city seed --city "$city" --region 330100 --url "postgresql+asyncpg://gwc:$password@postgres/d330100"
gwc city seed --city "$city" --region 330113 --url "postgresql+asyncpg://gwc:$password@postgres/d330113"
gwc city seed --city "$city" --region 330102 --url "mysql+asyncmy://root:$password@mariadb/d330102?charset=utf8mb4"
gwc city seed --city "$city" --region 330182 --url "mysql+asyncmy://root:$password@mariadb/d330182?charset=utf8mb4"
gwc city seed --city "$city" --region 330108 --url "mongodb://mongo:27017/d330108"
gwc compose --config /app/deploy/supergraph.yaml --supergraph /srv/gwc/supergraph.graphql --api /srv/gwc/api.graphql
