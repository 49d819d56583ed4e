import type { Command } from "commander";
import type { Session } from "../local/session";
import { defaultStack } from "../local/stacks";
import { accountOf, addAccountOptions, type AccountOptions } from "../smoke/account";
import { positive } from "../smoke/command";

interface Options extends AccountOptions {
  stack: string;
  clients: number;
  rate: number;
  seconds: number;
  json?: boolean;
}

/** `load`: many clients at once, and what they cost. A benchmark, not a test. */
export function addLoadCommand(program: Command, session: Session): void {
  const command = program
    .command("load")
    .description("hold many TLS clients through the load balancer; print throughput and memory")
    .option("-s, --stack <name>", "the stack", defaultStack)
    .option("-c, --clients <number>", "how many", positive, 2000)
    .option("-r, --rate <number>", "messages a second in all, each way", positive, 5)
    .option("--seconds <seconds>", "how long", positive, 60)
    .option("--json", "for machines");
  addAccountOptions(command).action(async ({ stack, json, clients, rate, seconds, ...account }: Options) => {
    const { runLoad } = await import("./run");
    const options = { clients, rate, seconds, account: accountOf(account) };
    process.exitCode = await runLoad(session, stack, json ?? false, options);
  });
}
