import { isIPv4 } from "node:net";
import { stringify } from "yaml";
import { bootScript } from "./bootstrap";
import {
  ConfigurationArgs,
  nodeFiles,
  renderConfiguration,
  renderEmqxEnvironment,
  renderRetryService,
  renderServiceDropIn,
  renderVmArgs,
} from "./configuration";
import { renderSysctl, renderTmpfiles } from "./kernel";
import { clusterPortNumbers } from "./ports";
import { shown } from "../shared/words";
import { Architecture, findRelease } from "./releases";

export interface NodeUserDataArgs extends ConfigurationArgs {
  nodeNumber: number;
  architecture: Architecture;
  /** Another place for the RPM instead of EMQ's own, and its SHA-256 sum instead of the one published beside it. */
  package?: { url?: string | undefined; sha256?: string | undefined } | undefined;
  /** Name of the first MQTT user, made unless anonymousAccess. */
  mqttUsername: string;
  /** Where the node's parameters are, without a slash at the end. */
  parameterPrefix: string;
  /** How many names the parameter `<prefix>/load-balancers` has when complete; 0: nobody balances. */
  loadBalancerCount: number;
  region: string;
  readinessTimeoutSeconds: number;
  /** Which cookie the node shares with its cluster; a new one means a new instance. */
  cookieVersion: number;
}

/** EC2's limit, before the encoding that the API asks for. */
export const maxUserDataBytes = 16384;

/** Cloud-config for Amazon Linux 2023: files for what differs, one script that is always the same. No secrets. */
export function renderUserData(args: NodeUserDataArgs): string {
  const problems = nodeProblems(args);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const vmArgs = renderVmArgs(args.clusterPorts);
  const files: { path: string; permissions?: string; content: string }[] = [
    { path: nodeFiles.nodeEnvironment, content: renderNodeEnvironment(args) },
    { path: nodeFiles.emqxEnvironment, content: renderEmqxEnvironment(args) },
    { path: nodeFiles.configuration, content: renderConfiguration(args) },
    ...(vmArgs === undefined ? [] : [{ path: nodeFiles.vmArgs, content: vmArgs }]),
    { path: nodeFiles.serviceDropIn, content: renderServiceDropIn() },
    { path: nodeFiles.retryService, content: renderRetryService(args.readinessTimeoutSeconds) },
    { path: nodeFiles.sysctl, content: renderSysctl(args.clusterPorts, args.listeners) },
    { path: nodeFiles.tmpfiles, content: renderTmpfiles() },
    { path: nodeFiles.bootScript, permissions: "0755", content: bootScript },
  ];
  return (
    "#cloud-config\n" +
    stringify({ write_files: files }, { lineWidth: 0, blockQuote: "literal", indentSeq: false })
  );
}

/** Shell assignments for the boot script, one line each so that a change is one line of diff. */
function renderNodeEnvironment(args: NodeUserDataArgs): string {
  const release = findRelease(args.version);
  const values: [string, string | number | boolean][] = [
    ["NODE_NUMBER", args.nodeNumber],
    ["PRIVATE_IP", args.privateIp],
    ["REGION", args.region],
    ["PARAMETER_PREFIX", args.parameterPrefix],
    ["VERSION", args.version],
    ["PACKAGE_NAME", release.packageName],
    ["PACKAGE_URL", args.package?.url ?? release.packageUrl(args.architecture)],
    ["PACKAGE_SHA256", args.package?.sha256 ?? ""],
    ["MQTT_USERNAME", args.anonymousAccess ? "" : args.mqttUsername],
    ["HAS_LICENSE", args.hasLicense],
    ["COOKIE_VERSION", args.cookieVersion],
    ["DISTRIBUTION_PORT", clusterPortNumbers(args.clusterPorts).distribution],
    ["LOAD_BALANCER_COUNT", args.loadBalancerCount],
    ["READINESS_TIMEOUT_SECONDS", args.readinessTimeoutSeconds],
  ];
  return values.map(([name, value]) => `${name}='${value}'\n`).join("");
}

/** A host name, with a port if need be, and a path that neither a shell nor curl reads in another way. */
const packageUrlPattern =
  /^https:\/\/(?=[A-Za-z0-9.-]{1,253}[:/])[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*(?::(\d{1,5}))?\/[A-Za-z0-9._~:/?%&=+@,-]+$/;

/** Why a package cannot come from there: https only. */
export function packageUrlProblems(input: string, url: unknown): string[] {
  const [match, port] = (typeof url === "string" ? packageUrlPattern.exec(url) : undefined) ?? [];
  return match === undefined || (port !== undefined && (Number(port) < 1 || Number(port) > 65535))
    ? [`${input}: ${shown(url)} must be an https:// address of an RPM for Amazon Linux 2023`]
    : [];
}

/** Without a checksum of its own, a package has it at the same address + ".sha256". */
export function packageTogetherProblems(
  input: string,
  { url, sha256 }: { url?: string | undefined; sha256?: string | undefined },
): string[] {
  return url?.includes("?") && sha256 === undefined
    ? [
        `${input}.url: "${url}" has a query, so its checksum is not at the same address + ".sha256"; ` +
          `give ${input}.sha256, too`,
      ]
    : [];
}

export function packageSumProblems(input: string, sum: unknown): string[] {
  return typeof sum === "string" && /^[0-9a-f]{64}$/.test(sum)
    ? []
    : [`${input}: ${shown(sum)} must be the SHA-256 sum of the package: 64 digits 0-9, a-f in lower case`];
}

/** What would render into something broken, or into something a shell or CSV file reads in another way. */
function nodeProblems(args: NodeUserDataArgs): string[] {
  const problems = [
    ...(args.package?.url === undefined ? [] : packageUrlProblems("package.url", args.package.url)),
    ...(args.package?.sha256 === undefined ? [] : packageSumProblems("package.sha256", args.package.sha256)),
    ...packageTogetherProblems("package", args.package ?? {}),
  ];
  const require = (holds: boolean, problem: string) => holds || problems.push(problem);
  const { nodeNumber, seeds, privateIp, loadBalancerCount, readinessTimeoutSeconds } = args;
  require(Number.isInteger(nodeNumber) && nodeNumber >= 0, `nodeNumber ${nodeNumber} must be 0 or more.`);
  for (const seed of seeds) require(isIPv4(seed), `seed "${seed}" must be an IPv4 address.`);
  require(new Set(seeds).size === seeds.length, `seeds must not repeat an address: ${seeds.join(", ")}.`);
  require(seeds.includes(
    privateIp,
  ), `seeds must contain the node's own address ${privateIp}: EMQX does not cluster otherwise.`);
  require(Number.isInteger(loadBalancerCount) &&
    loadBalancerCount >= 0, `loadBalancerCount ${loadBalancerCount} must be 0 or more.`);
  require(Number.isInteger(readinessTimeoutSeconds) &&
    readinessTimeoutSeconds >
      0, `readinessTimeoutSeconds ${readinessTimeoutSeconds} must be a positive number of seconds.`);
  require(/^(\/[A-Za-z0-9._-]+)+$/.test(
    args.parameterPrefix,
  ), `parameterPrefix "${args.parameterPrefix}" must be a path like /emqx/project/stack/name.`);
  require(/^[a-z]{2}(-[a-z0-9]+)+$/.test(
    args.region,
  ), `region "${args.region}" must be an AWS region like eu-west-1.`);
  require(/^[A-Za-z0-9._@-]{1,64}$/.test(
    args.mqttUsername,
  ), `mqttUsername "${args.mqttUsername}" must be 1 to 64 letters, digits or . _ @ -`);
  return problems;
}

/** What EC2 or cloud-init would refuse. */
export function userDataProblems(userData: string): string[] {
  const problems: string[] = [];
  const bytes = Buffer.byteLength(userData, "utf8");
  if (bytes > maxUserDataBytes) {
    problems.push(
      `user data has ${bytes} bytes, EC2 allows ${maxUserDataBytes}: shorten extraConfig by ` +
        `${bytes - maxUserDataBytes} bytes, or use fewer nodes.`,
    );
  }
  if (!userData.startsWith("#cloud-config\n")) {
    problems.push(`user data must begin with the line "#cloud-config", or cloud-init ignores it.`);
  }
  return problems;
}
