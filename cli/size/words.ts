/** Numbers as a reader wants them. */

export function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Three digits that matter, no more. */
export function short(value: number): string {
  if (value === 0) return "0";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 4;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 1 ? "<1" : Math.round(value)} %`;
}

export function duration(seconds: number): string {
  if (seconds < 120) return `${whole(Math.ceil(seconds))} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${short(minutes / 60)} h`;
}
