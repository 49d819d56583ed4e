/** The cluster's secrets: made by `random`, kept in SSM parameters under one path, read from there by the nodes. */
import * as pulumi from "@pulumi/pulumi";
import * as ssm from "@pulumi/aws/ssm";
import * as random from "@pulumi/random";
import { further, mostParameterBytes, takenUp } from "../emqx/parameters";
import { renderSecretConfig, secretSizeProblems, secretSource } from "../emqx/secretConfig";
import { describeUsers, renderUsers, type EmqxUserArgs } from "../emqx/users";
import { plain, refuseLater } from "../shared/problems";
import { tagged, type Tags } from "../shared/tags";

export interface NodeSecretsArgs {
  /** Path of all parameters of this cluster, without a slash at the end. */
  parameterPrefix: string;
  anonymousAccess: boolean;
  /** Raised to make a new one; the first is 1. */
  cookieVersion: pulumi.Input<string>;
  dashboardPasswordVersion: number;
  mqttPasswordVersion: number;
  users: EmqxUserArgs[];
  licenseKey: pulumi.Input<string> | undefined;
  secretConfig: Record<string, pulumi.Input<string>> | undefined;
  secretConfigFrom: Record<string, pulumi.Input<string>> | undefined;
  /** EMQX's file of what clients may do. */
  acl: string | undefined;
  /** PEM of key and certificate of the nodes' TLS listeners, where the component makes them. */
  certificate: pulumi.Input<string> | undefined;
  /** PEM of the authorities of clients' certificates. */
  clientAuthorities: pulumi.Input<string> | undefined;
  kmsKeyId: pulumi.Input<string> | undefined;
  tags: Tags | undefined;
}

/** Parameter names, known before anything is made, and the resources that a node's first boot needs. */
export interface NodeSecrets {
  cookie: string;
  dashboardPassword: string;
  mqttPassword: string | undefined;
  mqttUsers: string | undefined;
  licenseKey: string | undefined;
  parameters: ssm.Parameter[];
  /** What a node reports once it has taken up the present passwords, licence and settings: `<parameter>=<version> …`. */
  applied: pulumi.Output<string>;
  /** Versions of what nodes do not ask for by its name, in the same form. */
  further: pulumi.Output<string>;
}

/**
 * Where further secrets are, once they were looked for. A parameter that is named here, and not by the resource that makes it,
 * has to be there; where the credentials of this command may not look, the nodes find out. Its value stays encrypted.
 */
export function checkedSources(
  subject: string,
  parent: pulumi.Resource,
  given: Record<string, pulumi.Input<string>>,
): Record<string, pulumi.Input<string>> {
  const look = async (path: string, name: string) => {
    try {
      await ssm.getParameter({ name, withDecryption: false }, { parent, async: true });
    } catch (error) {
      if (!/\bParameterNotFound\b|couldn't find resource/.test(String(error))) return name;
      const remedy = "make it first, or give the name that its resource puts out";
      refuseLater(subject, [`secretConfigFrom.${path}: there is no parameter ${name}; ${remedy}`]);
    }
    return name;
  };
  return Object.fromEntries(
    Object.entries(given).map(([path, source]) => {
      const name = plain(source);
      return [path, name === undefined || secretSource(name).kind === "secret" ? source : look(path, name)];
    }),
  );
}

export function createNodeSecrets(name: string, parent: pulumi.Resource, args: NodeSecretsArgs): NodeSecrets {
  const parameters = new Map<string, ssm.Parameter>();
  const keep = (
    suffix: string,
    description: string,
    value: pulumi.Input<string>,
    kind: "secret" | "public" | "large and public" = "secret",
  ): string => {
    const parameterName = `${args.parameterPrefix}/${suffix}`;
    const parameter = new ssm.Parameter(
      `${name}-${suffix}`,
      {
        name: parameterName,
        ...(kind === "large and public" && {
          tier: pulumi
            .output(value)
            .apply((text) => (Buffer.byteLength(text) > mostParameterBytes ? "Advanced" : "Standard")),
        }),
        ...(kind === "secret"
          ? { type: "SecureString", value: pulumi.secret(value), keyId: args.kmsKeyId }
          : { type: "String", insecureValue: value }),
        description,
        tags: tagged(`${name}-${suffix}`, args.tags),
      },
      { parent },
    );
    parameters.set(suffix, parameter);
    return parameterName;
  };
  const generate = (suffix: string, length: number, version: pulumi.Input<string>) =>
    new random.RandomPassword(
      `${name}-${suffix}`,
      {
        length,
        // Letters and digits only: the values pass through shells, HOCON and CSV on the node.
        special: false,
        minLower: 1,
        minUpper: 1,
        minNumeric: 1,
        // A first value has no keepers, like one from before there were versions.
        keepers: pulumi.output(version).apply((v) => (v === "1" ? undefined : { version: v })),
      },
      { parent },
    ).result;

  const names = {
    // A letter first, so that neither the shell nor HOCON takes the cookie for a number.
    cookie: keep(
      "cookie",
      "Erlang cookie of the EMQX cluster",
      pulumi.interpolate`c${generate("cookie", 47, args.cookieVersion)}`,
    ),
    dashboardPassword: keep(
      "dashboard-password",
      "Password of the EMQX dashboard's user admin",
      generate("dashboard-password", 32, String(args.dashboardPasswordVersion)),
    ),
    mqttPassword: args.anonymousAccess
      ? undefined
      : keep(
          "mqtt-password",
          "Password of the first MQTT user",
          generate("mqtt-password", 32, String(args.mqttPasswordVersion)),
        ),
    licenseKey:
      args.licenseKey === undefined ? undefined : keep("license-key", "EMQX licence key", args.licenseKey),
  };
  if (args.secretConfig !== undefined || args.secretConfigFrom !== undefined || args.acl !== undefined) {
    const subject = `EmqxClusterNodes "${name}"`;
    const secrets = pulumi
      .all([args.secretConfig ?? {}, args.secretConfigFrom ?? {}])
      .apply(([known, sources]) => {
        refuseLater(subject, secretSizeProblems("secretConfig", known, sources));
        return renderSecretConfig(known, sources);
      });
    keep("secret-config", "Settings of EMQX that are secret", secrets);
  }
  if (args.acl !== undefined) keep("acl", "What MQTT clients may do", args.acl, "public");
  if (args.certificate !== undefined) {
    keep("node-certificate", "Certificate and key of the EMQX nodes' TLS listeners", args.certificate);
  }
  if (args.clientAuthorities !== undefined) {
    keep(
      "client-authorities",
      "Authorities of MQTT clients' certificates",
      args.clientAuthorities,
      "large and public",
    );
  }
  let mqttUsers: string | undefined;
  if (args.users.length > 0) {
    const users = args.users.map(({ username, password, passwordVersion = 1, superuser = false }) => ({
      username,
      password: password ?? generate(`user-${username}`, 32, String(passwordVersion)),
      superuser,
    }));
    mqttUsers = keep("mqtt-users", describeUsers(args.users), pulumi.output(users).apply(renderUsers));
  }
  const versionsOf = (suffixes: string[]) => {
    const versions = suffixes.flatMap((suffix) => {
      const parameter = parameters.get(suffix);
      return parameter ? [pulumi.interpolate`${suffix}=${parameter.version}`] : [];
    });
    return pulumi.all(versions).apply((parts) => parts.join(" "));
  };
  return {
    ...names,
    mqttUsers,
    parameters: [...parameters.values()],
    applied: versionsOf(takenUp),
    further: versionsOf(further),
  };
}
