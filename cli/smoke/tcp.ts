import { connect } from "node:net";

/** In the simulated region a connection that AWS would drop is taken and reset at once. */
const settleMs = 120;

export const closedAtOnce = "closed at once";

type Reach = { open: true } | { open: false; reason: string };

/** Whether a port takes a connection and keeps it. */
export function reach(host: string, port: number, timeoutMs = 5000): Promise<Reach> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (result: Reach) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(
      () => finish({ open: false, reason: `no answer within ${timeoutMs / 1000} s` }),
      timeoutMs,
    );
    socket.on("error", (error: NodeJS.ErrnoException) =>
      finish({ open: false, reason: error.code ?? error.message }),
    );
    socket.on("close", () => finish({ open: false, reason: closedAtOnce }));
    socket.on("connect", () => setTimeout(() => finish({ open: true }), settleMs));
  });
}
