/** An account to play in: the usual things exist, everything else is created by the test. */
import { generateKeyPairSync } from "node:crypto";
import "reflect-metadata";
import { Cloud, names, newAccount, QuickMachines } from "..";
import { CheckError } from "../errors";
import type { Props } from "../values";
import { issue } from "../x509";

const region = "eu-west-1";
export const arm64Image = imageOf("arm64");
export const x86Image = imageOf("x86_64");

function imageOf(architecture: string): string {
  const cloud = new Cloud(newAccount());
  const name = `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`;
  return cloud.invoke("aws:ssm/getParameter:getParameter", { region }, { name })["value"] as string;
}

/** Where a resource can be created and deleted: the model itself, or one of its doors. */
export interface Door {
  create(type: string, name: string, inputs: Props): Promise<{ id: string; outputs: Props }>;
}

function newCloud(): Cloud {
  const cloud = new Cloud(newAccount(), { cheapKeys: true });
  cloud.machines.attach(new QuickMachines(cloud));
  return cloud;
}

/** Check and create, as every door does. */
export class World implements Door {
  readonly ids: Record<string, string> = {};

  constructor(
    readonly scope: { region: string; defaultTags?: Record<string, string> } = { region },
    readonly cloud = newCloud(),
  ) {}

  async create(type: string, name: string, inputs: Props): Promise<{ id: string; outputs: Props }> {
    const checked = this.cloud.check(type, {
      name,
      urn: `urn:pulumi:test::test::${type}::${name}`,
      news: inputs,
      randomSeed: Buffer.from(name),
    });
    if (checked.problems.length > 0) {
      throw new CheckError(type, name, checked.problems);
    }
    return this.cloud.create(type, this.scope, checked.inputs);
  }

  async update(type: string, id: string, changes: Props): Promise<Props> {
    const olds = this.cloud.read(type, this.scope, id)!.outputs;
    const news = this.cloud.inputsOf(type, olds);
    const checked = this.cloud.check(type, { name: id, urn: id, olds: news, news: { ...news, ...changes } });
    if (checked.problems.length > 0) {
      throw new CheckError(type, id, checked.problems);
    }
    return this.cloud.update(type, this.scope, id, olds, checked.inputs);
  }

  delete(type: string, id: string): Promise<void> {
    return this.cloud.delete(type, this.scope, id, {});
  }

  get(type: string, id: string): Props | undefined {
    return this.cloud.read(type, this.scope, id)?.outputs;
  }
}

export type Ids = Record<string, string>;

export const trust = (service: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: service } }],
  });

export const allow = (Action: string | string[], Resource: string | string[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] });

/** A VPC with an internet gateway, two subnets in a and b, groups, interface, volume, role and profile. */
export async function furnish(door: Door): Promise<Ids> {
  const ids: Ids = {};
  const add = async (key: string, type: string, inputs: Props): Promise<string> =>
    (ids[key] = (await door.create(type, key, inputs)).id);
  await add("vpc", names.vpc, { cidrBlock: "10.0.0.0/16" });
  await add("igw", names.internetGateway, { vpcId: ids["vpc"]! });
  await add("subnetA", names.subnet, {
    vpcId: ids["vpc"]!,
    cidrBlock: "10.0.0.0/24",
    availabilityZone: "eu-west-1a",
  });
  await add("subnetB", names.subnet, {
    vpcId: ids["vpc"]!,
    cidrBlock: "10.0.1.0/24",
    availabilityZone: "eu-west-1b",
  });
  await add("group", names.securityGroup, { vpcId: ids["vpc"]!, name: "group", description: "The group" });
  await add("eni", names.networkInterface, {
    subnetId: ids["subnetA"]!,
    privateIps: ["10.0.0.10"],
    securityGroups: [ids["group"]!],
  });
  await add("volume", names.volume, { availabilityZone: "eu-west-1a", size: 20, type: "gp3" });
  await add("role", names.role, { name: "node", assumeRolePolicy: trust("ec2.amazonaws.com") });
  await add("profile", names.instanceProfile, { name: "node", role: ids["role"]! });
  await add("table", names.routeTable, { vpcId: ids["vpc"]! });
  await add("otherVpc", names.vpc, { cidrBlock: "10.1.0.0/16" });
  await add("otherSubnet", names.subnet, {
    vpcId: ids["otherVpc"]!,
    cidrBlock: "10.1.0.0/24",
    availabilityZone: "eu-west-1a",
  });
  await add("otherGroup", names.securityGroup, { vpcId: ids["otherVpc"]!, name: "other" });
  await add("otherTable", names.routeTable, { vpcId: ids["otherVpc"]! });
  await add("eip", names.eip, { domain: "vpc" });
  return ids;
}

export const listener = { lbPort: 1883, lbProtocol: "tcp", instancePort: 1883, instanceProtocol: "tcp" };

/** An instance on the furnished interface. */
export const nodeInputs = (ids: Ids): Props => ({
  ami: arm64Image,
  instanceType: "m7g.large",
  primaryNetworkInterface: { networkInterfaceId: ids["eni"]! },
});

export const balancerInputs = (ids: Ids): Props => ({
  name: "balancer",
  subnets: [ids["subnetA"]!],
  securityGroups: [ids["group"]!],
  listeners: [listener],
});

interface KeyPair {
  key: string;
  certificate: string;
}

const pairs = new Map<string, Promise<KeyPair>>();

/** A self-signed certificate; one per kind and test file. */
export function keyPair(kind: "rsa" | "rsa4096" | "ec" | "expired" | "other"): Promise<KeyPair> {
  let pair = pairs.get(kind);
  if (!pair) {
    pairs.set(kind, (pair = makePair(kind)));
  }
  return pair;
}

async function makePair(kind: string): Promise<KeyPair> {
  const { privateKey } =
    kind === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: kind === "rsa4096" ? 4096 : 2048 });
  const day = 24 * 3600_000;
  const certificate = await issue({
    key: privateKey,
    serial: "0123",
    subject: [{ CN: ["mqtt.example.com"] }],
    notBefore: new Date(Date.now() - 10 * day),
    notAfter: new Date(Date.now() + (kind === "expired" ? -1 : 30) * day),
    dnsNames: ["mqtt.example.com"],
    keyUsages: [0],
    extendedUsages: [],
  });
  return { certificate, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}
