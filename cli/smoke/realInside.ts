import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { promisify } from "node:util";
import { UserError } from "../console";
import { operateThroughSession } from "../node/sessionManager";
import type { Inside, InstanceState, Place } from "./inside";
import type { Outputs } from "./outputs";

/** A deployment in AWS, asked through the `aws` CLI with the caller's own credentials. */
export class RealInside implements Inside {
  readonly kind = "real";
  private readonly region: string | undefined;

  constructor(
    private readonly outputs: Outputs,
    private readonly env: NodeJS.ProcessEnv,
  ) {
    this.region = /\.([a-z]{2}-[a-z-]+-\d)\.elb\.amazonaws\.com/.exec(outputs.loadBalancerDnsName ?? "")?.[1];
  }

  async locate(hostname: string, port: number): Promise<Place> {
    const addresses = await lookup(hostname, { all: true });
    return { host: hostname, port, how: addresses.map(({ address }) => address).join(", ") };
  }

  async parameter(name: string): Promise<string> {
    try {
      return await this.aws("ssm", "get-parameter", "--with-decryption", "--name", name, [
        ...["--query", "Parameter.Value"],
        ...["--output", "text"],
      ]);
    } catch (error) {
      throw new UserError(
        `the MQTT password cannot be read from SSM parameter ${name}: ${firstLine(error)}\n` +
          "Give it with --password-file <file>, or have the aws CLI and credentials that may read the parameter.",
      );
    }
  }

  trustAnchor(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  instances(): Promise<InstanceState[] | undefined> {
    return this.ifAnswered(async () => {
      const answer = await this.aws("elb", "describe-instance-health", ...this.balancer(), [
        "--output",
        "json",
      ]);
      const { InstanceStates } = JSON.parse(answer) as {
        InstanceStates: { InstanceId: string; State: string; Description: string }[];
      };
      return InstanceStates.map(({ InstanceId, State, Description }) => ({
        instanceId: InstanceId,
        inService: State === "InService",
        description: Description,
      }));
    });
  }

  idleTimeoutSeconds(): Promise<number | undefined> {
    return this.ifAnswered(async () => {
      const query = "LoadBalancerAttributes.ConnectionSettings.IdleTimeout";
      const arguments_ = [...this.balancer(), "--query", query, "--output", "text"];
      return Number(await this.aws("elb", "describe-load-balancer-attributes", ...arguments_));
    });
  }

  /** EMQX tells no client which node serves it, and denies `$SYS` topics to clients from elsewhere. */
  nodesOfClients(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  complaints(): Promise<string[]> {
    return Promise.resolve([]);
  }

  /** None: private addresses may mean other machines where this one is. */
  nodeAddresses(): Promise<string[]> {
    return Promise.resolve([]);
  }

  operate(
    instanceId: string,
    operation: string,
    args: string[],
    say: (line: string) => void,
  ): Promise<number> {
    const region = this.region === undefined ? {} : { region: this.region };
    return operateThroughSession(instanceId, operation, args, { ...region, env: this.env, say });
  }

  private balancer(): string[] {
    return ["--load-balancer-name", this.outputs.loadBalancerName ?? ""];
  }

  private async ifAnswered<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch {
      return undefined;
    }
  }

  private async aws(...args: (string | string[])[]): Promise<string> {
    const region = this.region === undefined ? [] : ["--region", this.region];
    const { stdout } = await promisify(execFile)("aws", [...args.flat(), ...region], {
      env: this.env,
      timeout: 20_000,
    });
    return stdout.trim();
  }
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split("\n")[0] ?? "";
}
