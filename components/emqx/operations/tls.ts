/**
 * Part of operations "install" and "sync" (its "services"): certificate and key of EMQX's TLS listeners, and the authorities of its clients.
 *
 * - Erlang keeps PEM files in a cache, and looks every two minutes which have changed (OTP 26: lib/ssl/src/ssl_pem_cache.erl,
 *   CLEAR_PEM_CACHE). `pem_cache clean` empties it at once, and reads authorities anew for listeners that use them
 *   (ssl_pkix_db.erl, refresh_trusted_certs). Neither touches a connection or a listener: TLS is negotiated once.
 * - Certificate and key are in one file, so that no handshake sees the one without the other.
 * - A parameter of the user's own has no version here: it is looked at every ten minutes. One that went bad changes nothing on a node
 *   that has a certificate; one that boots fails.
 */
export const tlsOperation = `# Part of install and sync: certificate of EMQX's TLS listeners, authorities of its clients
[[ $(<"$root/etc/emqx/emqx.conf") == *'"/etc/emqx-node/tls.pem"'* ]] || return 0
certificate_text() {
  (umask 077 && aws ssm get-parameter --with-decryption --name "$1" --query Parameter.Value --output text >"$work/value") || return
  grep -qe '-----BEGIN CERTIFICATE-----' "$work/value" && grep -qEe '-----BEGIN (RSA |EC )?PRIVATE KEY-----' "$work/value" && return
  echo "it holds no certificate and key in PEM" >&2
  return 1
}
# take_pem FILE: a running EMQX is to read it again
take_pem() {
  [[ -f $1 && $(<"$1") == "$(<"$work/value")" ]] && return
  say "taking up \${1##*/}"
  : >"$conf/pem"
  put 0640 root:emqx "$1" "$(<"$work/value")"$'\\n'
}
step="reading the certificate"
clock
last=-600
[[ ! -s $run.certificate ]] || last=$(<"$run.certificate")
if [[ -n \${CERTIFICATE_PARAMETER:-} ]]; then
  if [[ ! -s $conf/tls.pem ]] || ((uptime >= last + 600)); then
    if try 60 certificate_text "$CERTIFICATE_PARAMETER"; then
      take_pem "$conf/tls.pem"
    else
      [[ -s $conf/tls.pem && -z \${booting:-} ]] || die "parameter $CERTIFICATE_PARAMETER: $(why)"
      say "the certificate stays as it is: parameter $CERTIFICATE_PARAMETER: $(why)"
    fi
    echo "$uptime" >"$run.certificate"
  fi
elif [[ ! -s $conf/tls.pem ]] || news node-certificate "$seen"; then
  try 60 certificate_text "$PARAMETER_PREFIX/node-certificate" || die "parameter $PARAMETER_PREFIX/node-certificate: $(why)"
  take_pem "$conf/tls.pem"
  # Another one's time begins anew
  rm -f "$run.certificate"
fi
if reads '"/etc/emqx-node/clients.pem"' && { [[ ! -s $conf/clients.pem ]] || news client-authorities "$seen"; }; then
  try 60 keep client-authorities || die "parameter $PARAMETER_PREFIX/client-authorities: $(why)"
  take_pem "$conf/clients.pem"
fi
# What is new counts from here on; an EMQX that starts reads it by itself
[[ -z \${booting:-} ]] && running 2>"$work/err" || return 0
if [[ -f $conf/pem ]]; then
  begin "letting EMQX read its certificates again"
  emqx ctl pem_cache clean node "emqx@$PRIVATE_IP" >"$work/out" 2>&1 || tried=$?
  [[ $(<"$work/out") == *'PEM cache clean OK'* ]] ||
    die "emqx ctl pem_cache clean: $(words "$work/out")"
  rm -f "$conf/pem"
fi
for name in node-certificate client-authorities; do
  if news "$name" "$seen"; then note "$name" "$seen"; fi
done
`;
