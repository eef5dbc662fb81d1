#!/bin/sh
# Makes sure that the servers which the tests start are installed: by apt when root, else it says what to set.
set -eu

missing=""
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
[ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null 2>&1 || missing="$missing mosquitto"
[ -x /usr/sbin/mariadbd ] || command -v mariadbd >/dev/null 2>&1 || missing="$missing mariadb-server"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
command -v docker-compose >/dev/null 2>&1 || missing="$missing docker-compose"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "services: installing$missing (nothing is started by this)"
    # Debian starts a server as soon as it is installed unless a policy says no; the tests start their own.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
    exit 0
fi

cat >&2 <<TEXT
services: the tests start real servers, and these are not installed:$missing
  As root: apt-get install --no-install-recommends$missing
  Or name servers of your own: POSTGRES_URL, MARIADB_URL, REDIS_URL, MQTT_URL, MONGO_URI
  (docker-compose has no substitute: one test checks docker-compose.yml with it).
TEXT
if [ -n "${POSTGRES_URL:-}" ] && [ -n "${MARIADB_URL:-}" ] && [ -n "${REDIS_URL:-}" ] && [ -n "${MQTT_URL:-}" ] && [ "$missing" != "${missing#* docker-compose}" ]; then
    exit 1
fi
[ -n "${POSTGRES_URL:-}" ] && [ -n "${MARIADB_URL:-}" ] && [ -n "${REDIS_URL:-}" ] && [ -n "${MQTT_URL:-}" ] || exit 1
