/**
 * One at a time per client: whoever opens a session asks the cluster's leader first (EMQX's emqx_cm_locker), so that a
 * session does not move to two nodes at once.
 */

/** A node that keeps a lock for longer has gone or given up. */
const leaseMs = 5000;

export class SessionLocks {
  private readonly waiting = new Map<string, (() => void)[]>();

  /** Resolves when it is this one's turn, with the function that ends it. */
  async acquire(clientId: string): Promise<() => void> {
    const queue = this.waiting.get(clientId);
    if (queue === undefined) {
      this.waiting.set(clientId, []);
    } else {
      await new Promise<void>((resolve) => queue.push(resolve));
    }
    let ended = false;
    const release = () => {
      if (!ended) {
        ended = true;
        clearTimeout(lease);
        this.next(clientId);
      }
    };
    const lease = setTimeout(release, leaseMs);
    lease.unref();
    return release;
  }

  private next(clientId: string): void {
    const turn = this.waiting.get(clientId)?.shift();
    if (turn === undefined) {
      this.waiting.delete(clientId);
    } else {
      turn();
    }
  }
}
