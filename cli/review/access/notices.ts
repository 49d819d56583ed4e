/** What clients and operators notice of safeguards that change. */
import { type Notice, type NoticeInput, clients, operators } from "../change/notice";
import { type AccessChange, isLoosened } from "./safeguard";
import { deletion, leaving } from "./resources";

export function accessNotices({ access }: NoticeInput): Notice[] {
  // Of those there are words of their own, see ../change/safeguards.ts.
  const isTold = ({ what }: AccessChange) => [deletion, leaving].includes(what);
  return access.flatMap((change) => [
    ...(isLoosened(change) && !isTold(change) ? [operators("safe", loosened(change))] : []),
    ...(change.affectsClients
      ? [
          clients(
            "interrupts-service",
            `${sentence(change)}. Clients that are admitted today may be refused.`,
          ),
        ]
      : []),
  ]);
}

function loosened(change: AccessChange): string {
  return change.direction === "weaker"
    ? `🔓 ${sentence(change)}: less is kept from others.`
    : `🔓 ${sentence(change)}: whether that keeps less from others cannot be told here.`;
}

function sentence({ what, before, after }: AccessChange): string {
  return `${what}: ${before} → ${after}`;
}
