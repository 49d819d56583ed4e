import * as fc from "fast-check";
import {
  ClusterPorts,
  EmqxDeployment,
  Listener,
  NatGateways,
  type EmqxDeploymentArgs,
} from "../../../components";
import { deploymentInputs } from "../../../components/deployment/settings";
import type { Shape } from "../../../components/shared/inputs";
import type { Registered, RegionMocks } from "@emqx-aws/simulator";
import { inAws, memory, run, valueOf, type RunOptions } from "../../support";

const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const other = "arn:aws:acm:eu-west-1:123456789012:certificate/1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02";
const small: EmqxDeploymentArgs = {
  availabilityZones: ["eu-west-1a", "eu-west-1b"],
  certificate: { arn: certificateArn },
};

async function deploy(args: EmqxDeploymentArgs, options: RunOptions = {}, name = "emqx") {
  const made: EmqxDeployment[] = [];
  const parents: [string, string | undefined][] = [];
  const mocks = await run(() => {
    made.push(
      new EmqxDeployment(name, args, {
        transformations: [
          (child) => {
            parents.push([child.name, (child.opts.parent as { __name?: string } | undefined)?.__name]);
            return undefined;
          },
        ],
      }),
    );
  }, options);
  return { mocks, deployment: made[0]!, parents };
}

const key = (r: Registered) => `${r.type} ${r.name}`;
/** Inputs as a reviewer sees them: no secrets, no ids, which differ between two simulated accounts. */
const content = (r: Registered) =>
  r.secrets.length > 0
    ? "secret"
    : JSON.stringify(r.inputs).replace(
        /\b(vpc|subnet|sg|eni|vol|i|rtb|nat|igw|eipalloc)-[0-9a-f]{17}\b/g,
        "$1-id",
      );

/** What the second deployment adds, removes and changes. */
function difference(before: RegionMocks, after: RegionMocks) {
  const old = new Map(inAws(before).map((r) => [key(r), content(r)]));
  const now = new Map(inAws(after).map((r) => [key(r), content(r)]));
  return {
    added: [...now.keys()].filter((k) => !old.has(k)).sort(),
    removed: [...old.keys()].filter((k) => !now.has(k)).sort(),
    changed: [...now.keys()].filter((k) => old.has(k) && old.get(k) !== now.get(k)).sort(),
  };
}

async function change(first: EmqxDeploymentArgs, second: EmqxDeploymentArgs, options: RunOptions = {}) {
  const before = await deploy(first, options);
  const after = await deploy(second, { ...options, stashes: memory(before.mocks) });
  return difference(before.mocks, after.mocks);
}

const zones = fc.shuffledSubarray(["eu-west-1a", "eu-west-1b", "eu-west-1c"], { minLength: 1 });
const anyArgs = fc
  .record({
    availabilityZones: zones,
    nodeCount: fc.integer({ min: 1, max: 5 }),
    vpc: fc.record({
      natGateways: fc.constantFrom(NatGateways.Single, NatGateways.PerAvailabilityZone),
      flowLogs: fc.option(fc.constant({}), { nil: undefined }),
    }),
    listeners: fc.uniqueArray(fc.constantFrom(...Object.values(Listener)), { minLength: 1 }),
    clusterPorts: fc.constantFrom(...Object.values(ClusterPorts)),
    classicElb: fc.record({ proxyProtocol: fc.boolean(), internal: fc.boolean() }),
    anonymousAccess: fc.boolean(),
    tags: fc.constantFrom({}, { team: "iot" }),
  })
  .map((args) => {
    const needsTls = args.listeners.some((l) => l === Listener.Mqtts || l === Listener.Wss);
    return { ...args, ...(needsTls && { certificate: { arn: certificateArn } }) } as EmqxDeploymentArgs;
  });

describe("EmqxDeployment", () => {
  test("places the nodes one zone after the other, from .10 on", async () => {
    const { deployment } = await deploy(small);
    expect(await Promise.all(deployment.nodeNames.map(valueOf))).toEqual([
      "emqx@192.168.0.10",
      "emqx@192.168.1.11",
      "emqx@192.168.0.12",
    ]);
  });

  test("gives its parts' outputs", async () => {
    const { mocks, deployment } = await deploy(small);
    expect(await valueOf(deployment.vpcId)).toBe(mocks.named("emqx-vpc", "aws:ec2/vpc:Vpc").id);
    expect(await Promise.all(deployment.instanceIds.map(valueOf))).toEqual(
      [0, 1, 2].map((n) => mocks.named(`emqx-nodes-${n}`, "aws:ec2/instance:Instance").id),
    );
    expect(await valueOf(deployment.mqttsUrl)).toBe(`mqtts://${await valueOf(deployment.dnsName)}:8883`);
    expect(await valueOf(deployment.mqttUsername)).toBe("mqtt");
    expect(await valueOf(deployment.mqttPasswordParameter)).toBe(
      "/emqx/emqx-aws/test/emqx-nodes/mqtt-password",
    );
  });

  test("lets TLS end at the nodes, of which nobody but they and the state learns the key", async () => {
    const { mocks, deployment } = await deploy({
      availabilityZones: ["eu-west-1a"],
      nodeCount: 1,
      listeners: [Listener.Mqtts, Listener.Wss],
      nodeTls: { selfSigned: {} },
      dns: { hostedZoneId: "Z0123456789EXAMPLE01", hostname: "mqtt.example.com" },
    });
    const { listeners } = mocks.named("emqx-elb", "aws:elb/loadBalancer:LoadBalancer").inputs;
    expect(listeners).toEqual(
      [8883, 8084].map((port) => ({
        lbProtocol: "TCP",
        lbPort: port,
        instanceProtocol: "TCP",
        instancePort: port,
      })),
    );
    expect(mocks.named("emqx-sg-nodes-from-lb-8084").inputs).toMatchObject({ fromPort: 8084, toPort: 8084 });
    expect(mocks.named("emqx-nodes-tls-1", "tls:index/certRequest:CertRequest").inputs["dnsNames"]).toEqual([
      "mqtt.example.com",
      "*.eu-west-1.elb.amazonaws.com",
      "*.elb.eu-west-1.amazonaws.com",
    ]);
    expect(mocks.named("emqx-nodes-node-certificate").secrets).toContain("value");
    const { userData } = mocks.named("emqx-nodes-0", "aws:ec2/instance:Instance").inputs;
    expect(userData).toMatch(/ssl\.default \{[^}]*8883/);
    expect(userData).not.toMatch(/PRIVATE KEY/);
    expect(inAws(mocks).filter(({ type }) => type.startsWith("aws:acm"))).toEqual([]);
    expect(await valueOf(deployment.caCertificatePem)).toMatch(/BEGIN CERTIFICATE/);
    expect(await valueOf(deployment.mqttsUrl)).toBe("mqtts://mqtt.example.com:8883");
  });

  test("puts the load balancer into public subnets, or into private ones with internal", async () => {
    for (const internal of [false, true]) {
      const { mocks } = await deploy({ ...small, classicElb: { internal: internal } });
      const kind = internal ? "private" : "public";
      expect(mocks.named("emqx-elb", "aws:elb/loadBalancer:LoadBalancer").inputs["subnets"]).toEqual(
        ["a", "b"].map(
          (zone) => mocks.named(`emqx-vpc-${kind}-eu-west-1${zone}`, "aws:ec2/subnet:Subnet").id,
        ),
      );
    }
  });

  describe("whatever the input", () => {
    test("names, tags and secrets are as they should be, and a preview registers what an update does", async () => {
      await fc.assert(
        fc.asyncProperty(anyArgs, async (args) => {
          const { mocks, parents } = await deploy(args);
          expect(parents.filter(([child, parent]) => child !== "emqx" && !parent)).toEqual([]);
          expect(parents.filter(([child, parent]) => parent && !child.startsWith(`${parent}`))).toEqual([]);
          expect(new Set(mocks.registered.map(key)).size).toBe(mocks.registered.length);

          const taggable = inAws(mocks).filter((r) => "tags" in r.inputs);
          expect(taggable.length).toBeGreaterThan(20);
          expect(taggable.map((r) => r.inputs["tags"])).toEqual(
            taggable.map((r) => expect.objectContaining({ Name: r.name, ...args.tags }) as object),
          );

          const generated = mocks
            .ofType("random:index/randomPassword:RandomPassword")
            .map((r) => String(r.outputs?.["result"]));
          expect(generated.length).toBeGreaterThanOrEqual(2);
          for (const resource of mocks.registered.filter((r) => r.type !== "aws:ssm/parameter:Parameter")) {
            const text = JSON.stringify(resource.inputs);
            expect(generated.filter((secret) => text.includes(secret))).toEqual([]);
          }
          for (const parameter of mocks.ofType("aws:ssm/parameter:Parameter")) {
            expect(parameter.inputs["type"] === "SecureString").toBe(parameter.secrets.includes("value"));
          }

          const preview = await deploy(args, { preview: true });
          expect(preview.mocks.registered.map(key).sort()).toEqual(mocks.registered.map(key).sort());
        }),
        { numRuns: 6 },
      );
    });

    test("never collides with a second deployment in the same program", async () => {
      await fc.assert(
        fc.asyncProperty(anyArgs, anyArgs, async (one, other) => {
          const mocks = await run(() => {
            new EmqxDeployment("one", one);
            new EmqxDeployment("other", { ...other, vpc: { cidrBlock: "10.0.0.0/16" } });
          });
          expect(new Set(mocks.registered.map(key)).size).toBe(mocks.registered.length);
          const parameters = mocks.ofType("aws:ssm/parameter:Parameter").map((r) => r.inputs["name"]);
          expect(new Set(parameters).size).toBe(parameters.length);
        }),
        { numRuns: 4 },
      );
    });

    test("only adds when a node is added", async () => {
      await fc.assert(
        fc.asyncProperty(anyArgs, async (args) => {
          const { removed, changed } = await change(args, { ...args, nodeCount: (args.nodeCount ?? 3) + 1 });
          // The other nodes are told who is a member; that replaces nothing.
          expect({ removed, changed }).toEqual({
            removed: [],
            changed: ["aws:ssm/parameter:Parameter emqx-nodes-cluster"],
          });
        }),
        { numRuns: 4 },
      );
    });

    test("only adds when a zone is added, wherever it stands in the list", async () => {
      await fc.assert(
        fc.asyncProperty(anyArgs, fc.nat(3), async (args, position) => {
          // The single NAT gateway stands in the first zone listed; the new zone comes after it.
          const at = args.vpc?.natGateways === NatGateways.Single ? Math.max(1, position) : position;
          const zones = args.availabilityZones.map((zone) => zone.replace("eu-west-1", "us-east-1"));
          const before = {
            ...args,
            availabilityZones: zones,
            listeners: [Listener.Mqtt],
            certificate: undefined,
          };
          const after = { ...before, availabilityZones: zones.toSpliced(at, 0, "us-east-1d") };
          const { removed, changed } = await change(before, after, { region: "us-east-1" });
          expect(removed).toEqual([]);
          // Both list the subnets and routes of all zones, and take one more in place.
          expect(changed.filter((k) => !/LoadBalancer emqx-elb$|VpcEndpoint emqx-vpc-s3$/.test(k))).toEqual(
            [],
          );
        }),
        { numRuns: 4 },
      );
    });
  });

  describe("the order of a list means nothing", () => {
    const full: EmqxDeploymentArgs = {
      ...small,
      availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
      vpc: { natGateways: NatGateways.PerAvailabilityZone },
      access: {
        clientCidrBlocks: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
        adminCidrBlocks: ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"],
        egress: [5432, 6379].map((port) => ({ port, cidrBlock: "10.4.0.0/16" })),
      },
      listeners: Object.values(Listener),
      extraConfig: `authentication = [
  { mechanism = password_based, backend = built_in_database }
  { mechanism = password_based, backend = http, method = get, url = "http://a/" }
]`,
      secretConfig: { "authentication.2.headers.x": "1", "authentication.2.headers.y": "2" },
      secretConfigFrom: {
        "authentication.2.headers.a": "/example/users/password",
        "authentication.2.headers.b":
          "arn:aws:secretsmanager:eu-west-1:123456789012:secret:example/users-AbCdEf",
        "authentication.2.headers.c": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a/users-AbCdEf",
      },
      users: [{ username: "one" }, { username: "two", superuser: true }],
      networkLoadBalancer: {
        furtherCertificateArns: [other, certificateArn],
        endpointService: {
          allowedPrincipalArns: ["root", "role/x"].map((who) => `arn:aws:iam::123456789012:${who}`),
        },
      },
      tags: { team: "iot", cost: "7", owner: "ops" },
    };
    const listsOf = (shapes: Record<string, Shape>, path: string[] = []): string[][] =>
      Object.entries(shapes).flatMap(([name, shape]) =>
        shape.kind === "object"
          ? listsOf(shape.fields, [...path, name])
          : shape.kind === "list" || shape.kind === "map"
            ? [[...path, name]]
            : [],
      );

    function reversed(value: unknown, [name, ...path]: string[]): unknown {
      if (name !== undefined) {
        const group = value as Record<string, unknown>;
        return { ...group, [name]: reversed(group[name], path) };
      }
      return Array.isArray(value)
        ? [...(value as unknown[])].reverse()
        : Object.fromEntries(Object.entries(value as object).reverse());
    }

    let before: RegionMocks;
    beforeAll(async () => void ({ mocks: before } = await deploy(full)));

    // The subnets of a VPC that was there already are listed in the order of the zones: existingVpc.test.ts. Of an ACL's rules the
    // first that fits decides. What TLS at the nodes needs is not for load balancers with certificates.
    const lists = listsOf(deploymentInputs).map((path) => path.join("."));
    test.each(lists.filter((path) => !/^(existingVpc|acl|nodeTls)\./.test(path)))("%s", async (path) => {
      const other = reversed(full, path.split(".")) as EmqxDeploymentArgs;
      const after = await deploy(other, { stashes: memory(before) });
      expect(difference(before, after.mocks)).toEqual({ added: [], removed: [], changed: [] });
    });
  });

  test("takes only the last node's own resources away when there is one fewer", async () => {
    const { added, removed, changed } = await change({ ...small, nodeCount: 3 }, { ...small, nodeCount: 2 });
    expect({ added, changed }).toEqual({
      added: [],
      changed: ["aws:ssm/parameter:Parameter emqx-nodes-cluster"],
    });
    expect(removed.filter((k) => !k.includes(" emqx-nodes-2"))).toEqual([]);
    expect(removed).toHaveLength(7);
  });

  test("fills a zone that was added before it doubles up elsewhere", async () => {
    const one = { ...small, availabilityZones: ["eu-west-1a"], nodeCount: 2 };
    const before = await deploy(one);
    const after = await deploy(
      { ...one, availabilityZones: ["eu-west-1a", "eu-west-1b"], nodeCount: 3 },
      { stashes: memory(before.mocks) },
    );
    expect(await Promise.all(after.deployment.nodeNames.map(valueOf))).toEqual([
      "emqx@192.168.0.10",
      "emqx@192.168.0.11",
      "emqx@192.168.1.12",
    ]);
  });

  test("keeps the image that it first found, and asks for it by architecture", async () => {
    const before = await deploy(small);
    const remembered = memory(before.mocks)["emqx-nodes-image-arm64"];
    const newer = { ...memory(before.mocks), "emqx-nodes-image-arm64": remembered };
    const { mocks } = await deploy({ ...small, nodeCount: 1 }, { stashes: newer });
    expect(mocks.named("emqx-nodes-0", "aws:ec2/instance:Instance").inputs["ami"]).toBe(remembered);
    const x86 = await deploy({ ...small, nodeCount: 1, instance: { type: "m7i.large" } });
    expect(Object.keys(memory(x86.mocks))).toContain("emqx-nodes-image-x86_64");
  });

  test("refuses bad input before anything is registered", async () => {
    const mocks = await run(() => {
      expect(() => new EmqxDeployment("emqx", { availabilityZones: ["eu-west-1a"] })).toThrow(
        `EmqxDeployment "emqx": nothing of it was changed, because its input cannot work:\n  - certificate: missing`,
      );
    });
    expect(mocks.registered).toEqual([]);
  });

  test("uses the provider it is given, for resources and look-ups alike", async () => {
    const { Provider } = await import("@pulumi/aws/provider");
    const mocks = await run(() => {
      const provider = new Provider("elsewhere", { region: "us-east-1" });
      new EmqxDeployment(
        "emqx",
        {
          availabilityZones: ["us-east-1a"],
          nodeCount: 1,
          certificate: { selfSigned: undefined },
          listeners: [Listener.Mqtt],
        },
        { providers: [provider] },
      );
    });
    expect(inAws(mocks).filter((r) => !r.provider?.includes("elsewhere"))).toEqual([]);
    const userData = String(mocks.named("emqx-nodes-0", "aws:ec2/instance:Instance").inputs["userData"]);
    expect(userData).toContain("REGION='us-east-1'");
  });
});
