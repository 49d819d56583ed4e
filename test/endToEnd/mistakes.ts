/** Deliberate mistakes, made behind Pulumi's back in a deployment that works; the world knows how to take them back. */
import type { SmokeOptions } from "@emqx-aws/cli/smoke/smoke";
import { otherCertificateArn } from "../engine/deploymentSupport";
import type { World } from "./world";
import { eventually } from "../waiting";

export interface Mistake {
  make(world: World): Promise<void>;
  /** The check that has to fail, and what it has to say. */
  check: string;
  says: RegExp[];
  options?: SmokeOptions;
}

const outOfService = (world: World, count: number) =>
  eventually(`${count} instances are out of service`, async () => {
    const [balancer] = await world.region.loadBalancers();
    return Object.values(balancer!.health).filter(({ state }) => state !== "InService").length === count;
  });

/** Node 1 (by default) runs, alone. */
const alone = (world: World, node = 1) =>
  eventually(`node ${node} is alone`, async () => {
    const machines = await world.region.machines();
    const machine = machines.find(({ instanceId }) => instanceId === world.instance(node));
    return machine?.emqx?.running.length === 1;
  });

const restart = (world: World, node: number) =>
  world.region.drill("restart", { instance: world.instance(node) });

/** Unlike with `change`, the value before is not to be seen among the resource's attributes. */
async function changeParameter(world: World, id: string, value: string): Promise<void> {
  const before = await world.region.parameter(id);
  await world.region.modify({ id, type: "Parameter" }, { value });
  world.undos.push(() => world.region.modify({ id, type: "Parameter" }, { value: before }));
}

/** Takes from the nodes' role what lets them read their parameters. */
async function mayNotReadParameters(world: World): Promise<void> {
  const policies = await world.region.resources({ type: "RolePolicy" });
  const { id, attributes } = policies.find((one) =>
    (one.attributes["policy"] as string).includes("ReadOwnParameters"),
  )!;
  const policy = JSON.parse(attributes["policy"] as string) as { Statement: { Sid: string }[] };
  const rest = policy.Statement.filter(({ Sid }) => Sid !== "ReadOwnParameters");
  await world.modify({ id, type: "RolePolicy" }, { policy: JSON.stringify({ ...policy, Statement: rest }) });
}

async function restartEmqx(world: World, node: number): Promise<void> {
  await world.region.drill("stop-emqx", { instance: world.instance(node) });
  await world.region.drill("start-emqx", { instance: world.instance(node) });
}

export const mistakes: Record<string, Mistake> = {
  "a health check on a wrong port": {
    async make(world) {
      const { attributes } = await world.loadBalancer();
      const healthCheck = attributes["healthCheck"] as Record<string, never>;
      await world.changeLoadBalancer({
        healthCheck: { ...healthCheck, target: "HTTP:18084/status" },
      });
      await outOfService(world, 3);
    },
    check: "mqtts.tls",
    says: [
      /closed before TLS was established/,
      /0 of 3 instances are in service/,
      /tcp\/18084/,
      /HTTP:18083\/status/,
    ],
  },
  "a cluster rule that is missing": {
    async make(world) {
      await world.modify(await world.rule("nodes-from-nodes-6369"), {
        fromPort: 6370,
        toPort: 6370,
      });
      await restartEmqx(world, 1);
      await alone(world);
    },
    check: "messages",
    says: [/did not arrive/, /cannot reach 192\.168\.\d\.1\d:6369 \(distribution\)/, /security group/],
  },
  "a node with another cookie": {
    async make(world) {
      const id = `${world.deployment.outputs.mqttPasswordParameter!.replace(/[^/]+$/, "")}cookie`;
      world.undos.push(() => restart(world, 1));
      await changeParameter(world, id, `C${"0123456789".repeat(4)}`);
      await restart(world, 1);
      await alone(world);
    },
    check: "messages",
    says: [/did not arrive/, /does not join .*cookie/, /cookieParameter/],
  },
  "PROXY protocol expected by nodes, not sent by the load balancer": {
    async make(world) {
      const policies = await world.region.resources({ type: "LoadBalancerBackendServerPolicy" });
      const policy = policies.find(({ attributes }) => attributes["instancePort"] === 1883)!;
      await world.modify({ id: policy.id, type: policy.type }, { policyNames: [] });
    },
    check: "mqtts.connect",
    says: [/3 of 3 instances are in service/, /PROXY protocol/],
  },
  "a certificate for another name": {
    async make(world) {
      await world.changeListener(8883, { sslCertificateId: otherCertificateArn });
      // The key of a certificate that the account came with is made when a listener first asks for it.
      await eventually("every listener has its certificate", async () =>
        (await world.region.endpoints()).every(({ problem }) => problem === undefined),
      );
    },
    check: "mqtts.tls",
    says: [/the certificate is for .*, clients connect to emqx-elb/, /certificate\.arn must cover/],
  },
  "an idle timeout below the keep-alive": {
    make: (world) => world.changeLoadBalancer({ idleTimeout: 60 }),
    check: "keep-alive",
    says: [/a keep-alive of 300 s does not fit an idle timeout of 60 s/, /keepAliveSeconds/],
  },
  "a listener to a port nobody listens on": {
    make: (world) => world.changeListener(8883, { instancePort: 1884 }),
    check: "mqtts.tls",
    says: [/closed before TLS was established/, /3 of 3 instances are in service/, /instance port/],
  },
  "a dashboard that is open to the world": {
    async make(world) {
      const listeners = (await world.loadBalancer()).attributes["listeners"] as Record<string, never>[];
      const dashboard = { lbPort: 18083, lbProtocol: "TCP", instancePort: 18083, instanceProtocol: "TCP" };
      await world.changeLoadBalancer({ listeners: [...listeners, dashboard] });
      await world.modify(await world.rule("sg-lb-from-0.0.0.0-0-ws"), { toPort: 18083 });
    },
    check: "closed-ports",
    says: [/port 18083 \(dashboard and management API\)/, /adminCidrBlocks/],
  },
  "clients from elsewhere only": {
    make: async (world) =>
      world.modify(await world.rule("sg-lb-from-0.0.0.0-0-mqtts"), { cidrIpv4: "198.51.100.0/24" }),
    check: "mqtts.tcp",
    says: [/no ingress rule .* admits tcp\/8883 from 203\.0\.113\.10/, /clientCidrBlocks/],
  },
  // Nodes that can read it take it up within seconds here: then there is no mistake to be seen.
  "a password changed in SSM, which the nodes may not read": {
    async make(world) {
      await mayNotReadParameters(world);
      await changeParameter(world, world.deployment.outputs.mqttPasswordParameter!, "another-password");
    },
    check: "mqtts.connect",
    says: [/bad user name or password/, /within a minute \(by hand: operation sync\)/],
  },
};
