# Functions for acceptance tests that run the service behind a real Keystone. Source this file; it runs no command by itself except `set`.
# The tests run as root or as an ordinary user. All servers listen on 127.0.0.1 and keep their files below $work.
set -euo pipefail

# Sets $engine, $work and $pids, and removes everything at the end. NAME is the name of the test.
prepare() { # NAME
  local root
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
  engine=${BACKUP_ENGINE:-$root/artifacts/bin/BackupEngine.Cli/release/backup-engine}
  [ -x "$engine" ] || { echo "The program $engine does not exist. Build it with 'dotnet build -c Release src/BackupEngine.Cli' or set BACKUP_ENGINE." >&2; exit 2; }
  work=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX")
  pids=()
  trap clean EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# Stops the processes in $pids (a negative id is a process group) and removes the files of the test. After a failure it prints the ends of the logs.
clean() {
  local result=$? pid
  trap - EXIT
  for pid in "${pids[@]}"; do kill -- "$pid" 2>/dev/null || true; wait "${pid#-}" 2>/dev/null || true; done
  [ $result = 0 ] || tail -n 40 "$work"/*.log >&2 || true
  rm -rf "$work"
  exit $result
}

# Exits with code 3 when a command does not exist. PACKAGE is the Debian package that contains it.
need() { # COMMAND PACKAGE
  command -v "$1" >/dev/null || { echo "The command '$1' is missing: install the Debian package $2." >&2; exit 3; }
}

need_keystone() {
  need python3 python3
  need curl curl
  need keystone-manage python3-keystone
  need keystone-wsgi-public python3-keystone
  need openstack python3-openstackclient
}

say() { printf '%-62s %s\n' "$1" "$2"; }
fail() { echo "FAILED: $1" >&2; exit 1; }
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Repeats a command until it succeeds, for at most 600 attempts at intervals of 0.1 s.
await() { # DESCRIPTION COMMAND...
  local what=$1 left=600; shift
  until "$@" >/dev/null 2>&1; do left=$((left - 1)); [ $left -gt 0 ] || fail "$what did not happen in time"; sleep 0.1; done
}

# Starts Keystone with a new database in $work and sets $identity to its URL. The administrator is admin (password admin-password) in project admin;
# the region is 'here'.
start_keystone() {
  local address
  address=127.0.0.1:$(port)
  identity=http://$address/v3
  mkdir -m 700 "$work/keys" "$work/credentials"
  cat >"$work/keystone.conf" <<END
[DEFAULT]
log_file = $work/keystone.log
[database]
connection = sqlite:///$work/keystone.db
[fernet_tokens]
key_repository = $work/keys
[fernet_receipts]
key_repository = $work/keys
[credential]
key_repository = $work/credentials
END
  manage db_sync
  manage fernet_setup --keystone-user "$(id -u)" --keystone-group "$(id -g)"
  manage bootstrap --bootstrap-password admin-password --bootstrap-region-id here \
    --bootstrap-admin-url "$identity" --bootstrap-internal-url "$identity" --bootstrap-public-url "$identity"
  OS_KEYSTONE_CONFIG_FILES="$work/keystone.conf" keystone-wsgi-public --host 127.0.0.1 --port "${address#*:}" >"$work/wsgi.log" 2>&1 &
  pids+=($!)
  await "the start of Keystone" curl -sf "$identity"
}
manage() { keystone-manage --config-file "$work/keystone.conf" "$@" >>"$work/manage.log" 2>&1; }

# Runs the client 'openstack' with password authentication. The client takes the URL of the service from Keystone's catalog.
# The password is $password, or USER-password. Without ARGUMENTS the client reads commands from standard input, which saves its slow start.
as() { # USER PROJECT ARGUMENTS...
  local user=$1 project=$2; shift 2
  openstack --os-auth-url "$identity" --os-username "$user" --os-password "${password:-$user-password}" --os-project-name "$project" \
    --os-user-domain-name Default --os-project-domain-name Default --os-region-name here --os-identity-api-version 3 --os-volume-api-version 3.59 "$@"
}

# Starts our service at the URL $service with Keystone authentication. SETTINGS are further members of the configuration 'BackupService'.
start_service() { # [SETTINGS]
  mkdir -p "$work/volumes"
  cat >"$work/service.json" <<END
{ "BackupService": { "Auth": "Keystone", "Keystone": { "Url": "$identity", "CacheSeconds": 0 }${1:+, $1} } }
END
  "$engine" serve --store "$work/store" --volumes "$work/volumes" --data "$work/data" --config "$work/service.json" --listen "$service" 2>"$work/service.log" &
  pids+=($!)
  await "the start of the service" curl -s "$service/"
}
