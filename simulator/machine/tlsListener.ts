/**
 * TLS that ends at EMQX. Erlang keeps the PEM files that a listener names in a cache: what is on the disk counts once the cache is
 * emptied (`emqx ctl pem_cache clean`), or when it looks, every two minutes, which files have changed (OTP 26:
 * lib/ssl/src/ssl_pem_cache.erl). From then on handshakes go by it; connections go on. A certificate that does not fit its key
 * is noticed by handshakes alone.
 */
import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, createServer, type SecureVersion, type Server, type TLSSocket } from "node:tls";
import type { FileSystem } from "./fileSystem";
import { at, isTree, text, type Tree } from "./tree";

export interface TlsSettings {
  /** Paths. */
  certificate: string;
  key: string;
  authorities: string | undefined;
  /** Whether clients need a certificate of the authorities. */
  asksCertificate: boolean;
  oldest: SecureVersion;
  newest: SecureVersion;
}

/** Whom a certificate names, and whether that is enough. */
export interface Peer {
  commonName: string | undefined;
  admitted: boolean;
}

/** A listener without a certificate of its own has EMQX's public demo one, which is not acted out. */
export function tlsSettingsOf(listener: Tree): TlsSettings | undefined {
  const options = at(listener, "ssl_options");
  if (!isTree(options)) return undefined;
  const [certificate, key] = [text(options["certfile"]), text(options["keyfile"])];
  if (certificate === undefined || key === undefined) return undefined;
  const verifies = options["verify"] === "verify_peer";
  if (options["fail_if_no_peer_cert"] === true && !verifies) {
    // emqx/emqx@v5.8.9:apps/emqx/src/emqx_schema.erl, validate_verify/1.
    throw new Error("verify must be verify_peer when fail_if_no_peer_cert is true");
  }
  const versions = (options["versions"] as string[] | undefined) ?? ["tlsv1.3", "tlsv1.2"];
  const named = (version: string) => `TLSv${version.slice("tlsv".length)}` as SecureVersion;
  const sorted = versions.map(named).sort();
  return {
    certificate,
    key,
    authorities: verifies ? text(options["cacertfile"]) : undefined,
    asksCertificate: verifies && options["fail_if_no_peer_cert"] === true,
    oldest: sorted[0]!,
    newest: sorted.at(-1)!,
  };
}

const handshakeTimeoutMs = 15_000;

export class TlsListener {
  private readonly server: Server;
  private seen = "";
  private problem: string | undefined;

  constructor(
    private readonly name: string,
    private readonly settings: TlsSettings,
    private readonly files: FileSystem,
    private readonly log: (line: string) => void,
    serve: (socket: TLSSocket) => void,
  ) {
    const { certificate, key, authorities } = settings;
    for (const path of [certificate, key, authorities].filter((each) => each !== undefined)) {
      // resolve_cert_path_for_read_strict/1 of apps/emqx/src/emqx_tls_lib.erl, and what ssl:listen makes of it.
      if (files.get(path) === undefined) {
        throw new Error(`Failed to start listener ${name}: cert_file_not_found, path: ${path}`);
      }
    }
    this.server = createServer({
      requestCert: authorities !== undefined,
      rejectUnauthorized: settings.asksCertificate,
      handshakeTimeout: handshakeTimeoutMs,
    });
    this.server.on("secureConnection", serve);
    this.server.on("tlsClientError", (error) => this.failed(error.message));
    this.refresh();
  }

  /** A connection whose PROXY header is off, if it has one. */
  take(socket: Socket): void {
    if (this.problem === undefined) {
      this.server.emit("connection", socket);
    } else {
      this.failed(this.problem);
      socket.destroy();
    }
  }

  /** The cache is empty, or has looked. */
  refresh(): void {
    const { certificate, key, authorities, oldest, newest } = this.settings;
    const read = (path: string | undefined) =>
      path === undefined ? undefined : (this.files.get(path)?.content ?? "");
    const [cert, privateKey, ca] = [certificate, key, authorities].map(read);
    const seen = JSON.stringify([cert, privateKey, ca]);
    if (seen === this.seen) return;
    this.seen = seen;
    const options = {
      cert,
      key: privateKey,
      ca,
      minVersion: oldest,
      maxVersion: newest,
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
    try {
      createSecureContext(options);
      this.server.setSecureContext(options);
      this.problem = undefined;
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }

  private failed(why: string): void {
    this.log(`[error] listener ${this.name}: TLS handshake failed: ${why}`);
  }
}
