import { ownRules } from "../../../components/emqx/acl";
import { licenseKeyOf } from "../../licenseKey";
import { operations } from "../../../components/emqx/operations";
import { parse } from "yaml";
import {
  ClusterPorts,
  EmqxClusterNodes,
  EmqxSecurityGroup,
  EmqxVpc,
  Listener,
  type EmqxClusterNodesArgs,
} from "../../../components";
import { inAws, namesByType, run, valueOf, type RunOptions } from "../../support";

type Args = Partial<EmqxClusterNodesArgs>;
const instanceType = "aws:ec2/instance:Instance";

async function deploy(args: Args, options: RunOptions = {}) {
  const made: EmqxClusterNodes[] = [];
  const mocks = await run(() => {
    const vpc = new EmqxVpc("net", { availabilityZones: ["eu-west-1a"] });
    const groups = new EmqxSecurityGroup("mq", { vpcId: vpc.vpcId });
    const node = (privateIp: string) => ({
      subnetId: vpc.privateSubnetIds[0]!,
      availabilityZone: "eu-west-1a",
      privateIp,
    });
    made.push(
      new EmqxClusterNodes("emqx", {
        nodes: ["192.168.0.10", "192.168.0.11", "192.168.0.12"].map(node),
        securityGroupIds: [groups.nodeSecurityGroupId],
        ...args,
      }),
    );
  }, options);
  const instance = (n: number) => mocks.named(`emqx-${n}`, instanceType);
  const userData = (n: number) => String(instance(n).inputs["userData"]);
  return { mocks, nodes: made[0]!, instance, userData };
}

/** A file of a node's cloud-config. */
function file(userData: string, path: string): string {
  const { write_files: files } = parse(userData) as { write_files: { path: string; content: string }[] };
  return files.find((f) => f.path === path)?.content ?? "";
}

describe("EmqxClusterNodes", () => {
  test("makes exactly these resources for three nodes without a load balancer", async () => {
    const { mocks } = await deploy({});
    const own = mocks.registered.filter((r) => r.custom && r.name.startsWith("emqx"));
    expect(namesByType(own)).toEqual({
      Instance: ["emqx-0", "emqx-1", "emqx-2"],
      InstanceProfile: ["emqx"],
      NetworkInterface: ["emqx-0", "emqx-1", "emqx-2"],
      Parameter: [
        "emqx-0-applied",
        "emqx-0-ready",
        "emqx-1-applied",
        "emqx-1-ready",
        "emqx-2-applied",
        "emqx-2-ready",
        "emqx-cluster",
        "emqx-cookie",
        "emqx-dashboard-password",
        "emqx-mqtt-password",
        ...Object.keys(operations)
          .map((operation) => `emqx-operation-${operation}`)
          .sort(),
        "emqx-operations",
      ],
      RandomPassword: ["emqx-cookie", "emqx-dashboard-password", "emqx-mqtt-password"],
      Role: ["emqx"],
      RolePolicy: ["emqx"],
      Stash: [
        "emqx-cluster-name",
        "emqx-cluster-ports",
        "emqx-cookie-version",
        "emqx-image-arm64",
        "emqx-seeds",
      ],
      Volume: ["emqx-0-data", "emqx-1-data", "emqx-2-data"],
      VolumeAttachment: ["emqx-0-data", "emqx-1-data", "emqx-2-data"],
    });
  });

  test("lets the role read what somebody else keeps, and decrypt nothing but that", async () => {
    const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:example/users-AbCdEf";
    const extraConfig = `authentication = [{ mechanism = jwt, use_jwks = false, algorithm = hmac-based }]`;
    const jwt = (from: string) => ({
      anonymousAccess: true,
      extraConfig,
      secretConfigFrom: { "authentication.1.secret": from },
    });
    const parameter = "/example/users/password";
    for (const [from, line, action, arn, context] of [
      [`${secret}:password::`, `${secret} password`, "secretsmanager:GetSecretValue", secret, "SecretARN"],
      [
        parameter,
        parameter,
        "ssm:GetParameter",
        `arn:aws:ssm:eu-west-1:123456789012:parameter${parameter}`,
        "PARAMETER_ARN",
      ],
    ] as const) {
      const { mocks } = await deploy(jwt(from));
      const { Statement } = JSON.parse(
        String(mocks.named("emqx", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]),
      ) as {
        Statement: { Action: string }[];
      };
      expect(Statement.filter(({ Action }) => [action, "kms:Decrypt"].includes(Action))).toEqual([
        expect.objectContaining({ Action: action, Resource: [arn] }),
        expect.objectContaining({
          Resource: "arn:aws:kms:eu-west-1:*:key/*",
          Condition: { StringEquals: { [`kms:EncryptionContext:${context}`]: [arn] } },
        }),
      ]);
      const value = mocks.named("emqx-secret-config", "aws:ssm/parameter:Parameter").inputs["value"];
      expect(value).toBe(`# from authentication.1.secret ${line}\n`);
      expect(
        mocks.named("emqx-operation-existing", "aws:ssm/parameter:Parameter").inputs["insecureValue"],
      ).toBeDefined();
    }
    await expect(deploy(jwt("/not/there"))).rejects.toThrow(
      /secretConfigFrom\.authentication\.1\.secret: there is no parameter \/not\/there; make it first/,
    );
    await expect(
      deploy({ ...jwt(parameter), secretConfig: { "authentication.1.secret": "x" } }),
    ).rejects.toThrow(/secretConfigFrom\.authentication\.1\.secret: is also in secretConfig/);
  });

  test("sets an instance up for safety by default", async () => {
    const { instance } = await deploy({});
    expect(instance(0).inputs).toMatchObject({
      instanceType: "m7g.large",
      ebsOptimized: true,
      monitoring: false,
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { encrypted: true, volumeType: "gp3", volumeSize: 16 },
      userDataReplaceOnChange: true,
    });
    expect(Object.keys(instance(0).inputs)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/keyName|associatePublicIpAddress/)]),
    );
  });

  test("encrypts 20 GiB of data per node by default, and what it is asked for otherwise", async () => {
    const small = await deploy({});
    expect(small.mocks.named("emqx-0-data", "aws:ebs/volume:Volume").inputs).toMatchObject({
      size: 20,
      type: "gp3",
      encrypted: true,
      availabilityZone: "eu-west-1a",
    });
    const large = await deploy({ dataVolume: { sizeGiB: 500 } });
    expect(large.mocks.named("emqx-0-data", "aws:ebs/volume:Volume").inputs).toMatchObject({ size: 500 });
  });

  test("keeps a node's address in an interface of its own", async () => {
    const { mocks, instance } = await deploy({});
    const card = mocks.named("emqx-1", "aws:ec2/networkInterface:NetworkInterface");
    expect(card.inputs["privateIps"]).toEqual(["192.168.0.11"]);
    expect(instance(1).inputs["primaryNetworkInterface"]).toEqual({ networkInterfaceId: card.id });
  });

  test("attaches the volumes of new nodes one batch after the other, since they are detached the other way round", async () => {
    const order = async (batchSize: number) => {
      const { mocks } = await deploy({ rollout: { batchSize } });
      return mocks.ofType("aws:ec2/volumeAttachment:VolumeAttachment").map(({ name }) => name);
    };
    expect(await order(1)).toEqual(["emqx-0-data", "emqx-1-data", "emqx-2-data"]);
    expect((await order(2)).at(-1)).toBe("emqx-2-data");
  });

  test("gives a node the seeds of the first deployment, and those before it", async () => {
    const first = await deploy({});
    const seeds = (userData: string) =>
      [...file(userData, "/etc/emqx/emqx.conf").matchAll(/"emqx@([\d.]+)",/g)].map((match) => match[1]);
    expect(seeds(first.userData(0))).toEqual(["192.168.0.10", "192.168.0.11", "192.168.0.12"]);

    const grown = await deploy({}, { stashes: { "emqx-seeds": ["192.168.0.10"] } });
    expect(seeds(grown.userData(0))).toEqual(["192.168.0.10"]);
    expect(seeds(grown.userData(2))).toEqual(["192.168.0.10", "192.168.0.11", "192.168.0.12"]);
  });

  test("lets the role read its own secrets and write readiness, nothing of another cluster", async () => {
    const { mocks } = await deploy({});
    const policy = JSON.parse(
      String(mocks.named("emqx", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]),
    ) as {
      Statement: { Action: string | string[]; Resource: string | string[] }[];
    };
    const resources = (action: string) =>
      policy.Statement.filter((s) => [s.Action].flat().includes(action)).flatMap((s) => s.Resource);
    const path = "arn:aws:ssm:eu-west-1:123456789012:parameter/emqx/emqx-aws/test/emqx";
    expect(resources("ssm:GetParameter")).toEqual([
      `${path}/cookie`,
      `${path}/dashboard-password`,
      `${path}/mqtt-password`,
      `${path}/license-key`,
      `${path}/secret-config`,
      `${path}/acl`,
      `${path}/mqtt-users`,
      `${path}/node-certificate`,
      `${path}/client-authorities`,
      `${path}/load-balancers`,
      `${path}/cluster`,
      `${path}/operations/*`,
      `${path}/monitoring`,
      `${path}/backup`,
      `${path}/nodes/*/ready`,
      `${path}/nodes/*/applied`,
    ]);
    expect(resources("ssm:PutParameter")).toEqual([`${path}/nodes/*/ready`, `${path}/nodes/*/applied`]);
    const everywhere = policy.Statement.filter((s) => [s.Resource].flat().includes("*")).flatMap(
      (s) => s.Action,
    );
    expect(everywhere).toEqual([
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]);
  });

  test("makes a cookie that shell and HOCON read as text", async () => {
    const { mocks } = await deploy({});
    const cookie = mocks.named("emqx-cookie", "aws:ssm/parameter:Parameter");
    expect(cookie.inputs["value"]).toMatch(/^c[A-Za-z0-9]{47}$/);
    expect(cookie.inputs["type"]).toBe("SecureString");
    expect(cookie.secrets).toContain("value");
  });

  test("needs no MQTT user with anonymous access", async () => {
    const { mocks, nodes, userData } = await deploy({ anonymousAccess: true });
    expect(nodes.mqttUsername).toBeUndefined();
    expect(nodes.mqttPasswordParameter).toBeUndefined();
    expect(inAws(mocks).filter((r) => r.name.includes("mqtt-password"))).toEqual([]);
    expect(file(userData(0), "/etc/emqx/emqx.conf")).not.toContain("authentication");
  });

  test("gives nodes further users by a parameter, and its version by another", async () => {
    const users = [
      { username: "b", superuser: true, password: "Given-Password-1" },
      { username: "a", passwordVersion: 2 },
    ];
    const { mocks, userData, nodes } = await deploy({ users });
    expect(await valueOf(nodes.mqttUsersParameter)).toBe("/emqx/emqx-aws/test/emqx/mqtt-users");
    const parameter = mocks.named("emqx-mqtt-users", "aws:ssm/parameter:Parameter");
    expect(parameter.secrets).toContain("value");
    expect(parameter.inputs["description"]).toMatch(/: a, b \(superuser\)$/);
    expect(parameter.inputs["value"]).toMatch(/^a,\w{32},false\nb,Given-Password-1,true$/);
    expect(mocks.named("emqx-cluster", "aws:ssm/parameter:Parameter").inputs["insecureValue"]).toMatch(
      /\nVERSIONS='mqtt-users=1'\n$/,
    );
    expect(userData(0)).toBe((await deploy({})).userData(0));
  });

  test("keeps a licence key in a parameter and out of user data", async () => {
    const licenseKey = licenseKeyOf("20260101");
    const { mocks, userData } = await deploy({ emqxVersion: "6.2.3", licenseKey });
    const parameter = mocks.named("emqx-license-key", "aws:ssm/parameter:Parameter");
    expect(parameter.inputs["value"]).toBe(licenseKey);
    expect(parameter.secrets).toContain("value");
    expect(userData(0)).not.toContain(licenseKey);
    expect(file(userData(0), "/etc/emqx-node/node.env")).toContain("HAS_LICENSE='true'");
    // The package's rules of 6.2.1 and later allow nothing in the profile that a node with authentication has.
    expect(mocks.named("emqx-acl", "aws:ssm/parameter:Parameter").inputs["insecureValue"]).toBe(ownRules);
    expect(file(userData(0), "/etc/emqx/emqx.conf")).toMatch(/^authorization\.sources = .*acl\.conf/m);
  });

  test("tells the licence's last day in the form of the certificate's end, and nothing without a key", async () => {
    const { nodes } = await deploy({ emqxVersion: "6.2.3", licenseKey: licenseKeyOf("20260101") });
    expect(await valueOf(nodes.licenseExpires)).toBe("2125-12-08T00:00:00Z");
    expect((await deploy({})).nodes.licenseExpires).toBeUndefined();
  });

  test("serves WebSocket only for a WebSocket listener", async () => {
    const conf = async (listeners: Listener[]) =>
      file((await deploy({ listeners })).userData(0), "/etc/emqx/emqx.conf");
    expect(await conf([Listener.Mqtts])).toMatch(/ws\.default\.enable = false/);
    expect(await conf([Listener.Wss])).toContain('bind = "0.0.0.0:8083"');
  });

  test("tells EMQX which ports the nodes use", async () => {
    const documented = (await deploy({})).userData(0);
    expect(file(documented, "/etc/emqx/emqx.conf")).toContain("port_discovery = manual, server_port = 5369");
    expect(file(documented, "/etc/emqx-node/vm.args")).toContain("inet_dist_listen_min 6369");
    const own = (await deploy({ clusterPorts: ClusterPorts.Package })).userData(0);
    expect(own).not.toMatch(/5369|6369|4369/);
  });

  test("has its outputs", async () => {
    const { nodes, instance } = await deploy({});
    expect(await Promise.all(nodes.instanceIds.map(valueOf))).toEqual([0, 1, 2].map((n) => instance(n).id));
    expect(await Promise.all(nodes.nodeNames.map(valueOf))).toEqual([
      "emqx@192.168.0.10",
      "emqx@192.168.0.11",
      "emqx@192.168.0.12",
    ]);
    expect(await valueOf(nodes.cookieParameter)).toBe("/emqx/emqx-aws/test/emqx/cookie");
    expect(await valueOf(nodes.dashboardPasswordParameter)).toBe(
      "/emqx/emqx-aws/test/emqx/dashboard-password",
    );
  });

  test.each<[string, Args, string]>([
    ["no nodes", { nodes: [] }, "nodes: none given"],
    ["no groups", { securityGroupIds: [] }, "securityGroupIds: none given"],
    [
      "an address twice",
      { nodes: ["192.168.0.10", "192.168.0.10"].map(place) },
      `nodes[1].privateIp: "192.168.0.10" is also node 0's; give each its own`,
    ],
    [
      "an address that is none",
      { nodes: [place("emqx1")] },
      `nodes[0].privateIp: "emqx1" is not an IPv4 address`,
    ],
  ])("refuses %s before anything is registered", async (_, args, message) => {
    const mocks = await run(() => {
      expect(
        () =>
          new EmqxClusterNodes("emqx", {
            nodes: [place("192.168.0.10")],
            securityGroupIds: ["sg-1"],
            ...args,
          }),
      ).toThrow(message);
    });
    expect(mocks.registered).toEqual([]);
  });
});

function place(privateIp: string) {
  return { subnetId: "subnet-0123456789abcdef0", availabilityZone: "eu-west-1a", privateIp };
}
