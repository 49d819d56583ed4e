/** From a cluster's settings and a node's place to the node's user data. */
import * as pulumi from "@pulumi/pulumi";
import { ownRules, renderAcl } from "../emqx/acl";
import { findRelease } from "../emqx/releases";
import { architectureOf } from "./instanceTypes";
import { renderUserData, userDataProblems } from "../emqx/userData";
import { nodeListeners } from "../shared/listeners";
import { mqttUsername } from "./defaults";
import type { NodeSettings } from "./settings";
import { tlsEndsOf, tlsOf } from "./tls";

/** What differs from node to node, or comes from the stack. */
export interface NodePlace {
  number: number;
  privateIp: string;
  seeds: string[];
  region: string;
  parameterPrefix: string;
}

/** The path of the parameters of the component of that name. Two stacks in one account never share it. */
export function parameterPrefixOf(name: string): string {
  return `/emqx/${pulumi.getProject()}/${pulumi.getStack()}/${name}`;
}

export function nodeUserData(settings: NodeSettings, place: NodePlace): string {
  return renderUserData({
    nodeNumber: place.number,
    privateIp: place.privateIp,
    seeds: place.seeds,
    region: place.region,
    parameterPrefix: place.parameterPrefix,
    version: settings.emqxVersion,
    architecture: architectureOf(settings.instance.type),
    package: settings.instance.package,
    clusterName: settings.clusterName,
    cookieVersion: settings.secretVersions.cookie,
    clusterPorts: settings.clusterPorts,
    listeners: nodeListeners(settings.listeners, tlsEndsOf(settings.nodeTls)),
    tls: tlsOf(settings.nodeTls),
    proxyProtocol: settings.proxyProtocol,
    anonymousAccess: settings.anonymousAccess,
    mqttUsername,
    hasLicense: settings.licenseKey !== undefined,
    // Whatever of both kinds stands in front now: running nodes learn how many it is, and a change of it replaces none.
    loadBalancerCount: settings.loadBalancerNames.length || (settings.targetGroupArns.length > 0 ? 1 : 0),
    readinessTimeoutSeconds: settings.rollout.readinessTimeoutSeconds,
    extraConfig: settings.extraConfig,
    hasSecretConfig: settings.secretConfig !== undefined || settings.secretConfigFrom !== undefined,
    hasAcl: aclOf(settings) !== undefined,
  });
}

/** The file of what clients may do; undefined where it is the package's own. */
export function aclOf({
  acl,
  anonymousAccess,
  emqxVersion,
}: Pick<NodeSettings, "acl" | "anonymousAccess" | "emqxVersion">): string | undefined {
  return acl !== undefined
    ? renderAcl(acl)
    : !anonymousAccess && findRelease(emqxVersion).deniesWhenHardened
      ? ownRules
      : undefined;
}

/** Whether user data for nodes at these addresses is what EC2 takes; the settings must be free of problems. */
export function userDataProblemsAt(
  settings: NodeSettings,
  name: string,
  addresses: string[],
  region: string,
): string[] {
  const userData = nodeUserData(settings, {
    number: addresses.length - 1,
    privateIp: addresses.at(-1) ?? "",
    seeds: addresses,
    region,
    parameterPrefix: parameterPrefixOf(name),
  });
  return userDataProblems(userData).map((problem) => `extraConfig: ${problem}`);
}
