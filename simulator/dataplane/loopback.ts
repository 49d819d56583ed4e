/**
 * Private addresses of a VPC on this machine: each VPC gets one of 127.64.0.0/16 … 127.254.0.0/16, and an address keeps
 * its last two numbers, so 192.168.0.10 may be 127.71.0.10. Linux answers on all of 127.0.0.0/8 without configuration.
 * A slot is claimed by a listening socket, so that two regions running at once never share one.
 */
import { createServer, Server } from "node:net";
import { addressToNumber, numberToAddress } from "./addresses";

const firstSlot = 64;
const lastSlot = 254;
const claimPort = 47127;

export class LoopbackMap {
  private readonly slots = new Map<string, { slot: number; claim: Server }>();

  /** Gives every VPC its slot and takes those of VPCs that are gone away. */
  async keep(vpcIds: string[]): Promise<void> {
    for (const [vpcId, { claim }] of this.slots) {
      if (!vpcIds.includes(vpcId)) {
        this.slots.delete(vpcId);
        await closed(claim);
      }
    }
    for (const vpcId of vpcIds) {
      if (!this.slots.has(vpcId)) {
        this.slots.set(vpcId, await this.claimSlot(vpcId));
      }
    }
  }

  /** The loopback address that stands for a private address of the VPC. */
  loopbackOf(vpcId: string, privateAddress: string): string {
    const entry = this.slots.get(vpcId);
    if (entry === undefined) {
      throw new Error(`VPC ${vpcId} has no loopback addresses yet`);
    }
    return numberToAddress(
      127 * 2 ** 24 + entry.slot * 2 ** 16 + (addressToNumber(privateAddress) % 2 ** 16),
    );
  }

  async release(): Promise<void> {
    await this.keep([]);
  }

  private async claimSlot(vpcId: string): Promise<{ slot: number; claim: Server }> {
    const count = lastSlot - firstSlot + 1;
    const start = [...vpcId].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % count, 7);
    for (let step = 0; step < count; step++) {
      const slot = firstSlot + ((start + step) % count);
      const claim = await claimed(`127.${slot}.0.1`);
      if (claim !== undefined) {
        return { slot, claim };
      }
    }
    throw new Error(
      "no loopback network 127.64.0.0/16 … 127.254.0.0/16 is free: other regions hold them all, stop one of them",
    );
  }
}

function claimed(host: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") {
        resolve(undefined);
      } else {
        reject(
          new Error(
            `cannot listen on ${host}: ${error.message}. The data plane needs Linux loopback addresses`,
          ),
        );
      }
    });
    server.listen(claimPort, host, () => {
      server.unref();
      resolve(server);
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
