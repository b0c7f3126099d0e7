#!/bin/sh
# Installs the programs that `npm run bench` puts beside Byway, on Debian 12 or later.
# The bench runs without them too, and then says which rows are missing. Needs root or sudo.
set -eu

as_root=''
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo 'install-peers: run me as root, or install sudo' >&2; exit 1; }
  as_root='sudo'
fi

# No service may start: the bench runs its own copies, on loopback, with its own configuration.
policy=/usr/sbin/policy-rc.d
made_policy=no
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
  made_policy=yes
fi
cleanup() {
  if [ "$made_policy" = yes ]; then $as_root rm -f "$policy"; fi
}
trap cleanup EXIT INT TERM

$as_root apt-get update -q
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
  tor nginx-light libnginx-mod-stream shadowsocks-libev openssl curl iproute2 iputils-ping python3

for program in tor tor-gencert nginx ss-server ss-local openssl; do
  command -v "$program" >/dev/null || { echo "install-peers: $program is still missing" >&2; exit 1; }
done
tor --version | head -n 1
nginx -v
