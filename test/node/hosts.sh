#!/usr/bin/env bash
# hosts.sh FOLDER, below `enter --disk`: installs a node and a balancer of FOLDER/out on this computer's disk, as test/node/hosts.test.ts
# reads. EMQX's package is the stand-in, in a Debian package.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
cd "$1"
[[ -x /usr/bin/node ]] || ln -sf "$(command -v node)" /usr/local/bin/node
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
rm -f /usr/bin/systemctl /bin/systemctl
ln -s "$here/systemctl" /usr/bin/systemctl
for address in 192.168.0.{2,4}; do ip address add "$address/24" dev lo; done

deb=/var/tmp/deb
mkdir -p $deb/{DEBIAN,usr/bin,usr/lib/emqx/{bin,releases},usr/lib/systemd/system,etc/emqx,var/lib/emqx,var/log/emqx}
install -m 0755 package/emqx $deb/usr/lib/emqx/bin/emqx
install -m 0644 package/emqx.js $deb/usr/lib/emqx/bin/emqx.js
install -m 0644 package/emqx.service $deb/usr/lib/systemd/system/emqx.service
ln -s /usr/lib/emqx/bin/emqx $deb/usr/bin/emqx
printf 'REL_VSN="5.8.9"\nRUNNER_USER="emqx"\n' >$deb/usr/lib/emqx/releases/emqx_vars
printf 'node.name = "emqx@127.0.0.1"\n' >$deb/etc/emqx/emqx.conf
printf -- '+P 2097152\n' >$deb/etc/emqx/vm.args
printf 'Package: emqx\nVersion: 5.8.9\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: stand-in\n' >$deb/DEBIAN/control
printf '/etc/emqx/emqx.conf\n/etc/emqx/vm.args\n' >$deb/DEBIAN/conffiles
printf '#!/bin/sh\nuseradd -r -U -d /var/lib/emqx emqx\nchown -R emqx:emqx /etc/emqx /var/lib/emqx /var/log/emqx /usr/lib/emqx\n' >$deb/DEBIAN/postinst
chmod 0755 $deb/DEBIAN/postinst
# shellcheck source=/dev/null
. /etc/os-release
package=out/emqx1/emqx-5.8.9-$ID$VERSION_ID-$(dpkg --print-architecture).deb
dpkg-deb -b $deb "$package" >/dev/null

# run TITLE SCRIPT: what it says, and how it ends
run() {
  local code=0
  echo "# $1"
  "$2" 2>&1 || code=$?
  echo "# exit code $code"
}
printf '%064d\n' 0 >"$package.sha256"
run "another package" out/emqx1/install.sh
sha256sum "$package" >"$package.sha256"
run "a node" out/emqx1/install.sh
run "again" out/emqx1/install.sh
echo "# a new setting"
echo '# new' >>out/emqx1/files/etc/emqx/emqx.conf
run "of the node" out/emqx1/install.sh
stat -c '%n %U:%G %a' /etc/emqx-node/{secrets.env,mqtt-users.csv,firewall.nft} /etc/emqx/emqx.conf
run "a balancer" out/lb1/install.sh
node -e '
  const socket = require("tls").connect({ host: "192.168.0.4", port: 8883, rejectUnauthorized: false });
  socket.write(Buffer.from("100e00044d5154540402003c00026964", "hex"));
  socket.on("data", (data) => { console.log("# CONNACK", data.toString("hex")); process.exit(); });
  socket.on("close", () => process.exit(1));'
echo '# new' >>out/lb1/files/etc/haproxy/haproxy.cfg
run "its new configuration" out/lb1/install.sh
echo 'nonsense' >>out/lb1/files/etc/haproxy/haproxy.cfg
run "its damaged configuration" out/lb1/install.sh
run "on another host" out/emqx2/install.sh
nft list table inet emqx
cat /run/systemctl
