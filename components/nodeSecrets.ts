/** The cluster's secrets: made by `random`, kept in SSM parameters under one path, read from there by the nodes. */
import * as pulumi from "@pulumi/pulumi";
import * as ssm from "@pulumi/aws/ssm";
import * as random from "@pulumi/random";
import { tagged, type Tags } from "./tags";

export interface NodeSecretsArgs {
  /** Path of all parameters of this cluster, without a slash at the end. */
  parameterPrefix: string;
  anonymousAccess: boolean;
  licenseKey: pulumi.Input<string> | undefined;
  kmsKeyId: pulumi.Input<string> | undefined;
  tags: Tags | undefined;
}

/** Parameter names, known before anything is made, and the resources that a node's first boot needs. */
export interface NodeSecrets {
  cookie: string;
  dashboardPassword: string;
  mqttPassword: string | undefined;
  licenseKey: string | undefined;
  parameters: ssm.Parameter[];
}

export function createNodeSecrets(name: string, parent: pulumi.Resource, args: NodeSecretsArgs): NodeSecrets {
  const parameters: ssm.Parameter[] = [];
  const keep = (suffix: string, description: string, value: pulumi.Input<string>): string => {
    const parameterName = `${args.parameterPrefix}/${suffix}`;
    parameters.push(
      new ssm.Parameter(
        `${name}-${suffix}`,
        {
          name: parameterName,
          type: "SecureString",
          value: pulumi.secret(value),
          description,
          keyId: args.kmsKeyId,
          tags: tagged(`${name}-${suffix}`, args.tags),
        },
        { parent },
      ),
    );
    return parameterName;
  };
  const generate = (suffix: string, length: number) =>
    new random.RandomPassword(
      `${name}-${suffix}`,
      // Letters and digits only: the values pass through shells, HOCON and CSV on the node.
      { length, special: false, minLower: 1, minUpper: 1, minNumeric: 1 },
      { parent },
    ).result;

  return {
    // A letter first, so that neither the shell nor HOCON takes the cookie for a number.
    cookie: keep(
      "cookie",
      "Erlang cookie of the EMQX cluster",
      pulumi.interpolate`c${generate("cookie", 47)}`,
    ),
    dashboardPassword: keep(
      "dashboard-password",
      "Password of the EMQX dashboard's user admin",
      generate("dashboard-password", 32),
    ),
    mqttPassword: args.anonymousAccess
      ? undefined
      : keep("mqtt-password", "Password of the first MQTT user", generate("mqtt-password", 32)),
    licenseKey:
      args.licenseKey === undefined ? undefined : keep("license-key", "EMQX licence key", args.licenseKey),
    parameters,
  };
}
