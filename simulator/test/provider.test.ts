/** The gRPC door as an engine uses it. */
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { names } from "..";
import type { Props } from "../values";
import { unknownValue } from "../values";
import { Provider, struct, urnOf, type Engine } from "./doors";
import { allow, balancerInputs, furnish, nodeInputs, trust } from "./world";

const secretKey = "4dabf18193072939515e22adb298388d";
const secret = (value: unknown) => ({ [secretKey]: "1b47061264138c4ac30d75fd1eb44270", value });

let provider: Provider;
let engine: Engine;
beforeEach(async () => {
  provider = await Provider.start();
  engine = await provider.engine();
});
afterEach(() => provider.stop());

describe("preview", () => {
  test("inputs and what follows from them are known, what AWS decides is not", async () => {
    const outputs = await engine.preview(names.subnet, "s", {
      vpcId: unknownValue,
      cidrBlock: "10.0.0.0/24",
      tags: { Name: "s" },
    });
    expect(outputs).toMatchObject({
      vpcId: unknownValue,
      cidrBlock: "10.0.0.0/24",
      region: "eu-west-1",
      mapPublicIpOnLaunch: false,
      tagsAll: { Name: "s" },
      arn: unknownValue,
      availabilityZone: unknownValue,
    });
  });

  test("nothing happens in the account", async () => {
    const before = provider.cloud.account.all().length;
    await engine.preview(names.vpc, "v", { cidrBlock: "10.0.0.0/16" });
    expect(provider.cloud.account.all()).toHaveLength(before);
  });

  test("what is known is checked although the rest is not", async () => {
    const inputs = {
      subnets: [unknownValue],
      listeners: [{ lbPort: 0, lbProtocol: "tcp", instancePort: 1, instanceProtocol: "tcp" }],
    };
    await expect(engine.preview(names.loadBalancer, "lb", inputs)).rejects.toThrow("from 1 to 65535");
  });

  test("an update keeps what stays and does not know what AWS computes anew", async () => {
    const before = await engine.create(names.parameter, "p", { name: "/p", type: "String", value: "one" });
    const request = new rpc.UpdateRequest();
    request.setId(before.id);
    request.setUrn(urnOf(names.parameter, "p"));
    request.setOlds(struct(before.outputs));
    request.setNews(
      struct(await engine.check(names.parameter, "p", { name: "/p", type: "String", value: "two" })),
    );
    request.setPreview(true);
    const response = await engine.call<rpc.UpdateResponse>("update", request);
    expect(response.getProperties()!.toJavaScript()).toMatchObject({
      arn: before.outputs["arn"],
      value: secret("two"),
      version: unknownValue,
    });
    expect(provider.cloud.account.get(names.parameter, "eu-west-1", "/p")!.attributes["value"]).toBe("one");
  });
});

describe("secrets", () => {
  test("sensitive outputs are secret although the inputs were not", async () => {
    const { outputs } = await engine.create(names.parameter, "p", {
      name: "/p",
      type: "SecureString",
      value: "hidden",
    });
    expect(outputs["value"]).toEqual(secret("hidden"));
    const password = await engine.create("random:index/randomPassword:RandomPassword", "r", { length: 20 });
    expect(password.outputs["result"]).toMatchObject({ [secretKey]: expect.any(String) });
    const key = await engine.create("tls:index/privateKey:PrivateKey", "k", { algorithm: "ED25519" });
    for (const name of ["privateKeyPem", "privateKeyPemPkcs8"]) {
      expect(key.outputs[name]).toMatchObject({ [secretKey]: expect.any(String) });
    }
    expect(key.outputs["publicKeyPem"]).toMatch(/^-----BEGIN PUBLIC KEY/);
  });

  test("what the program marks stays marked, where it was", async () => {
    const inputs = { cidrBlock: "10.0.0.0/16", tags: { Name: "v", token: secret("t") } };
    const before = await engine.create(names.vpc, "v", inputs);
    expect(before.inputs["tags"]).toEqual({ Name: "v", token: secret("t") });
    expect(before.outputs["tags"]).toEqual({ Name: "v", token: secret("t") });
    const after = await engine.read(names.vpc, "v", before.id, before);
    expect(after.outputs["tags"]).toEqual({ Name: "v", token: secret("t") });
    expect(after.inputs["tags"]).toEqual({ Name: "v", token: secret("t") });
  });

  test("a function's secret result is marked", async () => {
    await engine.create(names.parameter, "p", { name: "/p", type: "SecureString", value: "hidden" });
    const result = await engine.invoke("aws:ssm/getParameter:getParameter", { name: "/p" });
    expect(result).toMatchObject({ type: "SecureString", value: secret("hidden"), insecureValue: "" });
  });

  test("an unknown secret is tolerated", async () => {
    const outputs = await engine.preview(names.parameter, "p", {
      name: "/p",
      type: "SecureString",
      value: secret(unknownValue),
    });
    expect(outputs["value"]).toEqual(secret(unknownValue));
  });
});

describe("refresh", () => {
  test("drift is seen, in outputs and inputs", async () => {
    const before = await engine.create(names.vpc, "v", { cidrBlock: "10.0.0.0/16", tags: { Name: "mine" } });
    const stored = provider.cloud.account.get(names.vpc, "eu-west-1", before.id)!;
    provider.cloud.account.update(stored, { tags: { Name: "theirs", added: "x" }, enableDnsHostnames: true });
    const after = await engine.read(names.vpc, "v", before.id, before);
    expect(after.outputs).toMatchObject({ tags: { Name: "theirs", added: "x" }, enableDnsHostnames: true });
    expect(after.inputs).toMatchObject({ tags: { Name: "theirs", added: "x" }, enableDnsHostnames: true });
    const { detailed } = await engine.diff(names.vpc, "v", after, {
      cidrBlock: "10.0.0.0/16",
      tags: { Name: "mine" },
    });
    expect(detailed).toEqual({ "tags.Name": "UPDATE", "tags.added": "DELETE", enableDnsHostnames: "UPDATE" });
    const repaired = await engine.update(names.vpc, "v", after, {
      cidrBlock: "10.0.0.0/16",
      tags: { Name: "mine" },
    });
    expect(repaired).toMatchObject({ tags: { Name: "mine" }, enableDnsHostnames: false });
  });

  test("nothing changed is nothing changed", async () => {
    const ids = await furnish(engine);
    const before = await engine.create(names.instance, "i", {
      ...nodeInputs(ids),
      rootBlockDevice: { volumeSize: 20 },
    });
    const after = await engine.read(names.instance, "i", before.id, before);
    expect(after.inputs).toEqual(before.inputs);
    expect(after.outputs).toEqual(before.outputs);
    expect((await engine.diff(names.instance, "i", after, before.inputs)).changes).toBe(
      rpc.DiffResponse.DiffChanges.DIFF_NONE,
    );
  });

  test("what is gone has no id", async () => {
    const before = await engine.create(names.vpc, "v", { cidrBlock: "10.0.0.0/16" });
    await provider.cloud.delete(names.vpc, { region: "eu-west-1" }, before.id, {});
    expect((await engine.read(names.vpc, "v", before.id, before)).id).toBe("");
    await expect(
      engine.update(names.vpc, "v", before, { cidrBlock: "10.0.0.0/16", tags: { a: "b" } }),
    ).rejects.toThrow(/updating EC2 VPC \(vpc-\w+\): NotFound/);
  });

  test("random values and keys live in the state alone", async () => {
    const before = await engine.create("random:index/randomPassword:RandomPassword", "r", { length: 4 });
    const after = await engine.read("random:index/randomPassword:RandomPassword", "r", before.id, before);
    expect(after.outputs).toEqual(before.outputs);
  });
});

describe("import", () => {
  test.each([
    [names.vpc, (ids: Record<string, string>) => ids["vpc"]!],
    [names.instance, (ids: Record<string, string>) => ids["instance"]!],
    [names.loadBalancer, () => "balancer"],
    [names.parameter, () => "/p"],
    [names.role, () => "node"],
    [names.volume, (ids: Record<string, string>) => ids["volume"]!],
    [names.networkInterface, (ids: Record<string, string>) => ids["eni"]!],
    [names.securityGroup, (ids: Record<string, string>) => ids["group"]!],
    [names.route, (ids: Record<string, string>) => `${ids["table"]}_0.0.0.0/0`],
    [names.routeTableAssociation, (ids: Record<string, string>) => `${ids["subnetA"]}/${ids["table"]}`],
    [names.volumeAttachment, (ids: Record<string, string>) => `/dev/sdf:${ids["volume"]}:${ids["instance"]}`],
    [names.rolePolicy, () => "node:read"],
    [
      names.certificate,
      () => "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01",
    ],
  ])("%s, and its inputs describe it completely", async (type, idOf) => {
    const ids = await furnish(engine);
    ids["instance"] = (
      await engine.create(names.instance, "i", { ...nodeInputs(ids), userData: "#!/bin/sh\n" })
    ).id;
    await engine.create(names.loadBalancer, "lb", balancerInputs(ids));
    await engine.create(names.parameter, "p", { name: "/p", type: "String", value: "v", description: "d" });
    await engine.create(names.route, "r", {
      routeTableId: ids["table"],
      destinationCidrBlock: "0.0.0.0/0",
      gatewayId: ids["igw"],
    });
    await engine.create(names.routeTableAssociation, "a", {
      routeTableId: ids["table"],
      subnetId: ids["subnetA"],
    });
    await engine.create(names.volumeAttachment, "va", {
      deviceName: "/dev/sdf",
      volumeId: ids["volume"],
      instanceId: ids["instance"],
    });
    await engine.create(names.rolePolicy, "rp", {
      role: "node",
      name: "read",
      policy: allow("ssm:GetParameter", "*"),
    });
    const imported = await engine.read(type, "subject", idOf(ids));
    expect(imported.id).not.toBe("");
    if (type !== names.certificate) {
      // The same inputs again are no change.
      const { changes, detailed } = await engine.diff(type, "subject", imported, imported.inputs);
      expect({ changes, detailed }).toEqual({
        changes: rpc.DiffResponse.DiffChanges.DIFF_NONE,
        detailed: {},
      });
    }
  });

  test("an unknown id finds nothing", async () => {
    expect((await engine.read(names.vpc, "v", "vpc-0")).id).toBe("");
  });
});

describe("configuration", () => {
  const configCheck = async (packageName: string, config: Props) => {
    const request = new rpc.CheckRequest();
    request.setUrn(`urn:pulumi:s::p::pulumi:providers:${packageName}::default`);
    request.setNews(struct(config));
    const response = await engine.call<rpc.CheckResponse>("checkConfig", request);
    return response.getFailuresList().map((f) => f.getReason());
  };

  test("a region is needed and must exist; an unknown key is an error", async () => {
    expect(
      await configCheck("aws", {
        region: "eu-west-1",
        profile: "dev",
        skipMetadataApiCheck: "true",
        version: "7.48.0",
      }),
    ).toEqual([]);
    expect(await configCheck("aws", {})).toMatchObject([
      expect.stringContaining("Missing region configuration"),
    ]);
    expect(await configCheck("aws", { region: "eu-west-9" })).toMatchObject([
      expect.stringContaining("Invalid AWS Region: eu-west-9"),
    ]);
    expect(await configCheck("aws", { region: "eu-west-1", regoin: "x" })).toMatchObject([
      expect.stringContaining('"regoin"'),
    ]);
    expect(await configCheck("random", {})).toEqual([]);
    expect(await configCheck("tls", { region: "eu-west-1" })).toMatchObject([
      expect.stringContaining('"region"'),
    ]);
  });

  test("another region is another provider", async () => {
    const replaces = async (olds: Props, news: Props) => {
      const request = new rpc.DiffRequest();
      request.setUrn("urn:pulumi:s::p::pulumi:providers:aws::default");
      request.setOldInputs(struct(olds));
      request.setOlds(struct(olds));
      request.setNews(struct(news));
      return (await engine.call<rpc.DiffResponse>("diffConfig", request)).getReplacesList();
    };
    expect(await replaces({ region: "eu-west-1" }, { region: "us-east-1" })).toEqual(["region"]);
    expect(
      await replaces({ region: "eu-west-1", profile: "a" }, { region: "eu-west-1", profile: "b" }),
    ).toEqual([]);
  });

  test("two regions at the same time, one account", async () => {
    const virginia = await provider.engine({ region: "us-east-1" });
    const both = [engine, virginia].map((e) => e.create(names.vpc, "v", { cidrBlock: "10.0.0.0/16" }));
    const [ireland, america] = await Promise.all(both);
    expect(ireland!.outputs["region"]).toBe("eu-west-1");
    expect(america!.outputs["arn"]).toBe(`arn:aws:ec2:us-east-1:123456789012:vpc/${america!.id}`);
    expect((await virginia.read(names.vpc, "v", ireland!.id)).id).toBe("");
    const subnet = { vpcId: ireland!.id, cidrBlock: "10.0.0.0/24" };
    await expect(virginia.create(names.subnet, "s", subnet)).rejects.toThrow("InvalidVpcID.NotFound");
    // Roles and the names of parameters: global the one, regional the other.
    await engine.create(names.role, "r", { name: "node", assumeRolePolicy: trust("ec2.amazonaws.com") });
    await expect(
      virginia.create(names.role, "r", { name: "node", assumeRolePolicy: trust("ec2.amazonaws.com") }),
    ).rejects.toThrow("EntityAlreadyExists");
    for (const e of [engine, virginia]) {
      await e.create(names.parameter, "p", { name: "/p", type: "String", value: "v" });
    }
    // A resource may name its region itself.
    const third = await engine.create(names.vpc, "w", { cidrBlock: "10.0.0.0/16", region: "eu-central-1" });
    expect(third.outputs["arn"]).toContain(":eu-central-1:");
  });

  test("default tags arrive as JSON text, as the engine sends them", async () => {
    const tagged = await provider.engine({
      region: "eu-west-1",
      defaultTags: JSON.stringify({ tags: { owner: "iot" } }),
    });
    const { outputs } = await tagged.create(names.vpc, "v", { cidrBlock: "10.0.0.0/16" });
    expect(outputs["tagsAll"]).toEqual({ owner: "iot" });
  });

  test("two clusters' stacks share the account: a name is taken once", async () => {
    const ids = await furnish(engine);
    await engine.create(names.loadBalancer, "lb", balancerInputs(ids));
    const other = await provider.engine();
    await expect(other.create(names.loadBalancer, "lb", balancerInputs(ids))).rejects.toThrow(
      "DuplicateLoadBalancerName",
    );
  });
});

describe("functions", () => {
  test("the newest Amazon Linux 2023 image of each architecture", async () => {
    for (const architecture of ["arm64", "x86_64"]) {
      const name = `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`;
      const { value } = await engine.invoke("aws:ssm/getParameter:getParameter", { name });
      const id = (value as Props)["value"] as string;
      const image = await engine.invoke("aws:ec2/getAmi:getAmi", {
        owners: ["amazon"],
        filters: [{ name: "image-id", values: [id] }],
      });
      expect(image).toMatchObject({ id, architecture, state: "available", rootDeviceName: "/dev/xvda" });
      expect(image["name"]).toContain("2023.12.20261109.0");
    }
  });

  test("several images need mostRecent", async () => {
    const search = { owners: ["amazon"], filters: [{ name: "architecture", values: ["arm64"] }] };
    await expect(engine.invoke("aws:ec2/getAmi:getAmi", search)).rejects.toThrow("more than one result");
    const found = await engine.invoke("aws:ec2/getAmi:getAmi", { ...search, mostRecent: true });
    expect(found["creationDate"]).toBe("2026-11-09T22:03:52.000Z");
  });

  test("region, caller, partition", async () => {
    expect(await engine.invoke("aws:index/getRegion:getRegion", {})).toMatchObject({
      region: "eu-west-1",
      description: "Europe (Ireland)",
    });
    expect(await engine.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})).toMatchObject({
      accountId: "123456789012",
    });
    expect(await engine.invoke("aws:index/getPartition:getPartition", {})).toMatchObject({
      partition: "aws",
      dnsSuffix: "amazonaws.com",
    });
    const china = await provider.engine({ region: "cn-north-1" });
    expect(await china.invoke("aws:index/getPartition:getPartition", {})).toMatchObject({
      partition: "aws-cn",
      dnsSuffix: "amazonaws.com.cn",
    });
  });

  test("subnets and zones", async () => {
    const ids = await furnish(engine);
    expect(await engine.invoke("aws:ec2/getSubnet:getSubnet", { id: ids["subnetA"] })).toMatchObject({
      cidrBlock: "10.0.0.0/24",
      vpcId: ids["vpc"],
      availableIpAddressCount: 250,
    });
    expect(
      await engine.invoke("aws:route53/getZone:getZone", { zoneId: "Z0123456789EXAMPLE01" }),
    ).toMatchObject({
      name: "example.com",
      privateZone: false,
    });
  });

  test.each([
    ["aws:ec2/getVpc:getVpc", {}, 'does not know the function "aws:ec2/getVpc:getVpc"'],
    ["aws:ssm/getParameter:getParameter", { name: "/nobody" }, "ParameterNotFound"],
    ["aws:ssm/getParameter:getParameter", { nam: "/x" }, 'did you mean "name"'],
    [
      "aws:ec2/getAmi:getAmi",
      { filters: [{ name: "image-id", values: ["ami-0"] }] },
      "Your query returned no results",
    ],
    ["aws:ec2/getSubnet:getSubnet", { id: "subnet-0" }, "InvalidSubnetID.NotFound"],
    ["aws:route53/getZone:getZone", { zoneId: "Z0" }, "NoSuchHostedZone"],
  ])("%s refuses %j", async (token, args, message) => {
    await expect(engine.invoke(token, args)).rejects.toThrow(message);
  });
});

test("a property that the program ignores is left alone", async () => {
  const before = await engine.create(names.parameter, "p", { name: "/p", type: "String", value: "never" });
  const stored = provider.cloud.account.get(names.parameter, "eu-west-1", "/p")!;
  provider.cloud.account.update(stored, { value: "i-1" });
  const after = await engine.read(names.parameter, "p", before.id, before);
  const { changes } = await engine.diff(
    names.parameter,
    "p",
    after,
    { name: "/p", type: "String", value: "never" },
    ["value"],
  );
  expect(changes).toBe(rpc.DiffResponse.DiffChanges.DIFF_NONE);
});

test("hundreds of resources do not slow it down", async () => {
  const { id: vpcId } = await engine.create(names.vpc, "v", { cidrBlock: "10.0.0.0/16" });
  const { id: subnetId } = await engine.create(names.subnet, "s", { vpcId, cidrBlock: "10.0.0.0/21" });
  const seconds = async (from: number, count: number) => {
    const start = process.hrtime.bigint();
    for (let i = from; i < from + count; i++) {
      await engine.create(names.networkInterface, `n${i}`, { subnetId });
    }
    return Number(process.hrtime.bigint() - start) / 1e9;
  };
  await seconds(0, 50);
  const early = await seconds(50, 50);
  await seconds(100, 350);
  const late = await seconds(450, 50);
  // A linear look at what exists is fine; worse would show.
  expect(late / early).toBeLessThan(6);
});
