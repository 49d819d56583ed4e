/** A command on an instance in AWS, through Session Manager and the `aws` CLI. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { UserError } from "../console";

const bootScript = "/var/lib/cloud/scripts/per-boot/emqx-node";

/** The arguments of `aws` that run a node operation. */
function sessionArguments(instanceId: string, operation: string, args: string[]): string[] {
  const command = ["sudo", bootScript, operation, ...args].join(" ");
  // Without the separate streams the session tells nobody how the command ended.
  const parameters = { command: [command], separateOutputStream: ["true"] };
  return [
    ...["ssm", "start-session", "--target", instanceId],
    ...["--document-name", "AWS-StartNonInteractiveCommand"],
    ...["--parameters", JSON.stringify(parameters)],
  ];
}

/** Runs an operation and hands on what the node says; its exit code. */
export function operateThroughSession(
  instanceId: string,
  operation: string,
  args: string[],
  { region, env, say }: { region?: string; env: NodeJS.ProcessEnv; say: (line: string) => void },
): Promise<number> {
  const command = sessionArguments(instanceId, operation, args);
  const child = spawn("aws", [...command, ...(region === undefined ? [] : ["--region", region])], {
    env,
    // The session manager plugin ends at once where it finds no standard input.
    stdio: ["inherit", "pipe", "pipe"],
  });
  let exitCode: number | undefined;
  const complaints: string[] = [];
  createInterface(child.stdout).on("line", (line) => {
    const told = /^EXIT_CODE: (\d+)/.exec(line)?.[1];
    if (told !== undefined) {
      exitCode = Number(told);
    } else if (line.trim() !== "" && !/^(Starting|Exiting) session with/.test(line)) {
      say(line);
    }
  });
  createInterface(child.stderr).on("line", (line) => complaints.push(line));
  return new Promise((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOENT"
          ? new UserError(
              "the aws CLI is not installed; a node in AWS is reached with it and its session-manager-plugin: " +
                "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html",
            )
          : error,
      ),
    );
    child.on("close", (code) => {
      if (exitCode !== undefined) {
        complaints.forEach(say);
        resolve(exitCode);
      } else {
        const why = complaints.join("\n").trim();
        reject(new UserError(`no session with ${instanceId} (aws ended with code ${code}): ${why}`));
      }
    });
  });
}
