/** The PROXY protocol: version 1 as a Classic ELB writes it, 2 as a Network Load Balancer does, both as EMQX reads them. */
import { Socket } from "node:net";

export interface ProxiedConnection {
  sourceAddress: string;
  sourcePort: number;
  destinationAddress: string;
  destinationPort: number;
}

const v2Signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const v1LongestLine = 107;
const v2FixedLength = 16;

export function proxyV1Header(connection: ProxiedConnection): string {
  const { sourceAddress, destinationAddress, sourcePort, destinationPort } = connection;
  return `PROXY TCP4 ${sourceAddress} ${destinationAddress} ${sourcePort} ${destinationPort}\r\n`;
}

/** PROXY, TCP over IPv4, without the fields that only a PrivateLink connection brings. */
export function proxyV2Header(connection: ProxiedConnection): Buffer {
  const { sourceAddress, destinationAddress, sourcePort, destinationPort } = connection;
  const header = Buffer.alloc(v2FixedLength + 12);
  v2Signature.copy(header);
  header.set([0x21, 0x11, 0, 12], v2Signature.length);
  header.set([...sourceAddress.split("."), ...destinationAddress.split(".")].map(Number), v2FixedLength);
  header.writeUInt16BE(sourcePort, v2FixedLength + 8);
  header.writeUInt16BE(destinationPort, v2FixedLength + 10);
  return header;
}

type HeaderResult =
  | { kind: "incomplete" }
  | { kind: "invalid"; reason: string }
  /** `connection` is missing when the sender declared the connection its own (UNKNOWN, LOCAL). */
  | { kind: "header"; connection?: ProxiedConnection; length: number };

/** Reads a header from the beginning of a connection's bytes. */
export function parseProxyHeader(data: Buffer): HeaderResult {
  const signature = data.subarray(0, v2Signature.length);
  if (signature.equals(v2Signature.subarray(0, signature.length))) {
    return data.length < v2FixedLength ? { kind: "incomplete" } : parseV2(data);
  }
  return parseV1(data);
}

function parseV1(data: Buffer): HeaderResult {
  const expected = "PROXY ";
  if (!expected.startsWith(data.toString("latin1", 0, expected.length))) {
    return { kind: "invalid", reason: "the connection does not begin with a PROXY header" };
  }
  const end = data.indexOf("\r\n");
  if (end === -1 || end > v1LongestLine) {
    return data.length > v1LongestLine
      ? { kind: "invalid", reason: "the PROXY header has no end" }
      : { kind: "incomplete" };
  }
  const [, family, sourceAddress, destinationAddress, sourcePort, destinationPort] = data
    .toString("latin1", 0, end)
    .split(" ");
  const length = end + 2;
  if (family === "UNKNOWN") {
    return { kind: "header", length };
  }
  if (family !== "TCP4" && family !== "TCP6") {
    return { kind: "invalid", reason: `the PROXY header names the unknown family ${family}` };
  }
  if (
    sourceAddress === undefined ||
    destinationAddress === undefined ||
    !isPort(sourcePort) ||
    !isPort(destinationPort)
  ) {
    return { kind: "invalid", reason: "the PROXY header lacks an address or a port" };
  }
  return {
    kind: "header",
    length,
    connection: {
      sourceAddress,
      destinationAddress,
      sourcePort: Number(sourcePort),
      destinationPort: Number(destinationPort),
    },
  };
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65535;
}

function parseV2(data: Buffer): HeaderResult {
  const version = data[12]! >> 4;
  const command = data[12]! & 0xf;
  const family = data[13]! >> 4;
  const length = v2FixedLength + data.readUInt16BE(14);
  if (version !== 2 || command > 1) {
    return { kind: "invalid", reason: "the PROXY header is of an unknown version" };
  }
  if (data.length < length) {
    return { kind: "incomplete" };
  }
  const addressLength = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (command === 0 || addressLength === 0) {
    return { kind: "header", length };
  }
  const ports = v2FixedLength + 2 * addressLength;
  if (length < ports + 4) {
    return { kind: "invalid", reason: "the PROXY header is too short for its addresses" };
  }
  return {
    kind: "header",
    length,
    connection: {
      sourceAddress: addressText(data.subarray(v2FixedLength, v2FixedLength + addressLength)),
      destinationAddress: addressText(data.subarray(v2FixedLength + addressLength, ports)),
      sourcePort: data.readUInt16BE(ports),
      destinationPort: data.readUInt16BE(ports + 2),
    },
  };
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) {
    return [...bytes].join(".");
  }
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16)).join(":");
}

/**
 * Takes the header off a fresh socket and leaves the rest to be read; rejects when there is none in time. This is what
 * `proxy_protocol = true` means to EMQX: a connection without the header is dropped.
 */
export function takeProxyHeader(socket: Socket, timeoutMs: number): Promise<ProxiedConnection | undefined> {
  return new Promise((resolve, reject) => {
    let data = Buffer.alloc(0);
    const timer = setTimeout(() => finish(() => reject(new Error("no PROXY header in time"))), timeoutMs);
    const finish = (then: () => void) => {
      clearTimeout(timer);
      socket.off("readable", read).off("close", gone);
      then();
    };
    const gone = () => finish(() => reject(new Error("closed before its PROXY header")));
    const read = () => {
      let chunk: Buffer | null;
      while ((chunk = socket.read() as Buffer | null) !== null) {
        data = Buffer.concat([data, chunk]);
      }
      const result = parseProxyHeader(data);
      if (result.kind === "invalid") {
        finish(() => reject(new Error(result.reason)));
      } else if (result.kind === "header") {
        finish(() => {
          if (data.length > result.length) {
            socket.unshift(data.subarray(result.length));
          }
          resolve(result.connection);
        });
      }
    };
    socket.on("readable", read).on("close", gone);
  });
}
