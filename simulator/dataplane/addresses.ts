/** IPv4 arithmetic on plain numbers: connections are judged one by one, so it has to be cheap. */

export function addressToNumber(address: string): number {
  let value = 0;
  for (const part of address.split(".")) {
    value = value * 256 + Number(part);
  }
  return value;
}

export function numberToAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

interface BlockRange {
  first: number;
  last: number;
  prefix: number;
}

export function blockRange(cidr: string): BlockRange {
  const [address = "", prefixText = "32"] = cidr.split("/");
  const prefix = Number(prefixText);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(addressToNumber(address) / size) * size;
  return { first, last: first + size - 1, prefix };
}

export function blockContains(cidr: string, address: string): boolean {
  const range = blockRange(cidr);
  const value = addressToNumber(address);
  return range.first <= value && value <= range.last;
}
