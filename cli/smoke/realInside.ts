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
  /** Its name says of which kind a load balancer is: `emqx-1a2b.elb.eu-west-1.amazonaws.com` is a Network one. */
  private readonly isNetwork: boolean;

  constructor(
    private readonly outputs: Outputs,
    private readonly env: NodeJS.ProcessEnv,
  ) {
    const [, classic, network] =
      /\.(?:([a-z]{2}-[a-z-]+-\d)\.elb|elb\.([a-z]{2}-[a-z-]+-\d))\.amazonaws\.com/.exec(
        outputs.loadBalancerDnsName ?? "",
      ) ?? [];
    this.region = classic ?? network;
    this.isNetwork = network !== undefined;
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
      if (this.isNetwork) return this.targets();
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
      if (this.isNetwork) return this.shortestIdleTimeout();
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

  /** An instance is in service where each target group that it is registered with calls it healthy. */
  private async targets(): Promise<InstanceState[]> {
    const groups = await this.network("describe-target-groups", "TargetGroups[].TargetGroupArn");
    const states = new Map<string, InstanceState>();
    for (const group of groups.flat()) {
      const answer = await this.aws("elbv2", "describe-target-health", "--target-group-arn", group, [
        "--output",
        "json",
      ]);
      const { TargetHealthDescriptions } = JSON.parse(answer) as {
        TargetHealthDescriptions: {
          Target: { Id: string };
          TargetHealth: { State: string; Description?: string };
        }[];
      };
      for (const { Target, TargetHealth } of TargetHealthDescriptions) {
        const { State, Description = "" } = TargetHealth;
        const inService = State === "healthy" && states.get(Target.Id)?.inService !== false;
        if (State !== "healthy" || inService)
          states.set(Target.Id, { instanceId: Target.Id, inService, description: Description });
      }
    }
    return [...states.values()];
  }

  /** A TLS listener's is fixed, and no attribute. */
  private async shortestIdleTimeout(): Promise<number> {
    const listeners = await this.network("describe-listeners", "Listeners[].[Protocol,ListenerArn]");
    const seconds = await Promise.all(
      listeners.map(async ([protocol, arn]) => {
        if (protocol === "TLS") return 350;
        const query = "Attributes[?Key=='tcp.idle_timeout.seconds'].Value";
        const asked = ["--listener-arn", arn!, "--query", query, "--output", "text"];
        return Number(await this.aws("elbv2", "describe-listener-attributes", asked));
      }),
    );
    return Math.min(...seconds);
  }

  /** What the API says of the Network Load Balancer's parts: a line each, its fields apart. */
  private async network(verb: string, query: string): Promise<string[][]> {
    const name = ["--names", this.outputs.loadBalancerName ?? ""];
    const first = ["--query", "LoadBalancers[0].LoadBalancerArn", "--output", "text"];
    const arn = await this.aws("elbv2", "describe-load-balancers", name, first);
    const asked = ["--load-balancer-arn", arn, "--query", query, "--output", "text"];
    const lines = (await this.aws("elbv2", verb, asked)).split("\n");
    return lines.map((line) => line.split("\t"));
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
