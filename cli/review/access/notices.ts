/** What clients and operators notice of safeguards that change. */
import type { Notice, NoticeInput } from "../change/notice";
import { type AccessChange, isLoosened } from "./safeguard";
import { deletion, leaving } from "./resources";

export function accessNotices({ access }: NoticeInput): Notice[] {
  return access.flatMap((change): Notice[] => [
    // Of those there are words of their own, see ../change/safeguards.ts.
    ...(isLoosened(change) && ![deletion, leaving].includes(change.what)
      ? [{ audience: "operators" as const, level: "safe" as const, text: loosened(change) }]
      : []),
    ...(change.affectsClients
      ? [
          {
            audience: "clients" as const,
            level: "interrupts-service" as const,
            text: `${sentence(change)}. Clients that are admitted today may be refused.`,
          },
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
