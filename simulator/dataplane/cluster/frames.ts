/** Objects over a TCP connection: a length, then the object as Node serializes it (buffers stay buffers). */
import { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";

const lengthBytes = 4;
const longestFrame = 256 * 1024 * 1024;

export type Frame = Record<string, unknown>;

export function encode(value: object): Buffer {
  const body = serialize(value);
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

export class FrameSocket {
  private data: Buffer = Buffer.alloc(0);
  private waiting: Frame[] = [];
  private listener: ((frame: Frame) => void) | undefined;

  constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => this.read(chunk));
  }

  send(value: object): void {
    this.write(encode(value));
  }

  /** What `encode` has made: for one frame to many. */
  write(frame: Buffer): void {
    if (!this.socket.destroyed && this.socket.writable) {
      this.socket.write(frame);
    }
  }

  /** Who gets the frames from now on; without anybody they wait. */
  listen(listener: ((frame: Frame) => void) | undefined): void {
    this.listener = listener;
    while (this.listener !== undefined && this.waiting.length > 0) {
      this.listener(this.waiting.shift()!);
    }
  }

  private read(chunk: Buffer): void {
    this.data = this.data.length === 0 ? chunk : Buffer.concat([this.data, chunk]);
    while (this.data.length >= lengthBytes) {
      const end = lengthBytes + this.data.readUInt32BE(0);
      if (end > longestFrame) {
        this.socket.destroy();
        return;
      }
      if (this.data.length < end) {
        return;
      }
      const frame = tryDeserialize(this.data.subarray(lengthBytes, end));
      this.data = this.data.subarray(end);
      if (frame === undefined) {
        this.socket.destroy();
        return;
      }
      this.waiting.push(frame);
      this.listen(this.listener);
    }
  }
}

/** A connection that sends something else than frames (a browser, a port scanner) is cut. */
function tryDeserialize(body: Buffer): Frame | undefined {
  try {
    const value: unknown = deserialize(body);
    return typeof value === "object" && value !== null ? (value as Frame) : undefined;
  } catch {
    return undefined;
  }
}
