/** IPv4 arithmetic on plain numbers. */

interface Block {
  base: number;
  prefix: number;
}

export function parseAddress(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) {
    return undefined;
  }
  let address = 0;
  for (const part of match.slice(1)) {
    const octet = Number(part);
    if (octet > 255 || (part.length > 1 && part.startsWith("0"))) {
      return undefined;
    }
    address = address * 256 + octet;
  }
  return address;
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** A block with no host bits set, or nothing. */
export function parseBlock(text: string): Block | undefined {
  const [address, length, rest] = text.split("/");
  const base = parseAddress(address ?? "");
  const prefix = /^\d{1,2}$/.test(length ?? "") ? Number(length) : NaN;
  if (base === undefined || rest !== undefined || !(prefix <= 32) || base % sizeOf({ base, prefix }) !== 0) {
    return undefined;
  }
  return { base, prefix };
}

/** A block whatever its host bits. */
export function parseBlockLoosely(text: string): Block | undefined {
  const [address, length] = text.split("/");
  const base = parseAddress(address ?? "");
  const prefix = /^\d{1,2}$/.test(length ?? "") ? Number(length) : NaN;
  if (base === undefined || !(prefix <= 32)) {
    return undefined;
  }
  return { base: base - (base % 2 ** (32 - prefix)), prefix };
}

export function sizeOf(block: Block): number {
  return 2 ** (32 - block.prefix);
}

export function contains(outer: Block, inner: Block): boolean {
  return inner.prefix >= outer.prefix && holds(outer, inner.base);
}

export function overlap(a: Block, b: Block): boolean {
  return contains(a, b) || contains(b, a);
}

export function holds(block: Block, address: number): boolean {
  return address >= block.base && address < block.base + sizeOf(block);
}

function blockText(block: Block): string {
  return `${addressText(block.base)}/${block.prefix}`;
}

/** AWS keeps the first four addresses and the last one of every subnet. */
export function isReserved(subnet: Block, address: number): boolean {
  const offset = address - subnet.base;
  return offset < 4 || offset === sizeOf(subnet) - 1;
}

/** Why the text is no IPv4 network, for messages; nothing when it is one. */
export function blockProblem(text: string, min = 0, max = 32): string | undefined {
  const loose = parseBlockLoosely(text);
  if (!loose) {
    return `"${text}" is not a valid IPv4 CIDR block`;
  }
  if (!parseBlock(text)) {
    return `"${text}" has host bits set; did you mean "${blockText(loose)}"?`;
  }
  if (loose.prefix < min || loose.prefix > max) {
    return `"${text}" must have a prefix between /${min} and /${max}`;
  }
  return undefined;
}
