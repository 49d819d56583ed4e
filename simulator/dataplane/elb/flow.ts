/** One client's connection through the load balancer: bytes both ways until an end closes, nothing moves, or it is cut. */
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";

export class Flow {
  private silent = false;
  private isForgotten = false;
  private closed = false;
  private readonly closeListeners: (() => void)[] = [];

  constructor(
    readonly instanceId: string,
    /** The instance's. */
    readonly port: number,
    private readonly client: Socket,
    private readonly backend: Socket,
    private readonly onIdle: () => void,
    /** What is forgotten when idle shows at the next packet only: its sender gets a reset. */
    private readonly isForgottenSilently = false,
  ) {
    client.on("error", () => this.close());
    backend.on("error", () => this.lostBackend());
    client.on("close", () => {
      if (!this.isForgotten) this.ended(backend);
    });
    backend.on("close", () => this.lostBackend());
    // The client's socket sees the bytes of both directions, so its timer is the one of both.
    client.on("timeout", () => {
      this.onIdle();
      if (this.isForgottenSilently) this.forget();
      else this.close();
    });
    client.pipe(backend);
    backend.pipe(client);
  }

  onClose(listener: () => void): void {
    this.closeListeners.push(listener);
  }

  setIdleTimeout(milliseconds: number): void {
    this.client.setTimeout(milliseconds);
  }

  close(): void {
    this.client.destroy();
    this.backend.destroy();
    this.finish();
  }

  /** Resets both ends with the next packet of either, as who has no record of the connection. */
  forget(): void {
    this.isForgotten = true;
    for (const [end, other] of [
      [this.client, this.backend],
      [this.backend, this.client],
    ] as const) {
      end.unpipe(other);
      end.setTimeout(0);
      end.resume();
      end.once("data", () => {
        if (end instanceof TLSSocket) end.destroy();
        else end.resetAndDestroy();
      });
      end.once("close", () => {
        if (other.destroyed) this.finish();
      });
    }
  }

  /** The other end has vanished without a word: the client's bytes go nowhere and nothing comes back. */
  silence(): void {
    this.silent = true;
    this.client.unpipe(this.backend);
    this.backend.unpipe(this.client);
    this.client.resume();
    this.backend.destroy();
  }

  closeIfSilent(): void {
    if (this.silent) {
      this.close();
    }
  }

  private lostBackend(): void {
    if (!this.silent && !this.isForgotten) {
      this.ended(this.client);
    }
  }

  /** One side has closed: what it sent is still delivered to the other. */
  private ended(other: Socket): void {
    other.destroySoon();
    this.finish();
  }

  private finish(): void {
    if (!this.closed) {
      this.closed = true;
      this.closeListeners.forEach((listener) => listener());
    }
  }
}
