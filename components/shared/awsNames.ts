/** Names and ids of AWS's things that a user gives, one grammar each, with its source. */
import { arn, arnPattern } from "./arn";
import { text, type Grammar } from "./inputs";

const matching =
  (pattern: RegExp, words: string): Grammar =>
  (value) =>
    pattern.test(value) ? undefined : words;

/** An id of EC2: a prefix and 8 or 17 hexadecimal digits (EC2 user guide, "Resource IDs"). */
const idOf = (prefix: string, of: string) =>
  matching(
    new RegExp(`^${prefix}-[0-9a-f]{8}(?:[0-9a-f]{9})?$`),
    `is not the id of ${of}, for example ${prefix}-0123456789abcdef0`,
  );

const later = { later: true };
/** What AWS itself calls a resource, if another resource gives it. */
const given = { later: true, trusted: true };
export const imageId = text(idOf("ami", "an image"));
export const subnetId = text(idOf("subnet", "a subnet"), given);
export const securityGroupId = text(idOf("sg", "a security group"), given);
/** Prefix lists of AWS's own have ids of 8 digits, those of customers 17. */
export const prefixListId = text(idOf("pl", "a prefix list"), given);
export const vpcId = text(idOf("vpc", "a VPC"), given);
export const instanceId = text(idOf("i", "an instance"), given);

/** EC2 API reference, IpRange: constraints of `Description`. */
export const ruleDescription = text(
  matching(
    /^(?! )[\w .:/()#,@[\]+=&;{}!$*-]{1,255}(?<! )$/,
    "is not a description of a rule: 1 to 255 letters, digits, ._-:/()#,@[]+=&;{}!$* and spaces between them",
  ),
);

/** Elastic Load Balancing API reference 2012-06-01, CreateLoadBalancer. */
export const loadBalancerName = text(
  matching(
    /^(?!-)[A-Za-z0-9-]{1,32}(?<!-)$/,
    "is not the name of a Classic ELB: 1 to 32 letters, digits and hyphens, no hyphen first or last",
  ),
  given,
);

/** Elastic Load Balancing API reference 2015-12-01, CreateLoadBalancer. */
export const networkLoadBalancerArn = text(
  arn(
    [arnPattern("elasticloadbalancing", "loadbalancer/net/[A-Za-z0-9-]{1,32}/[0-9a-f]+")],
    "arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/net/<name>/<id>",
  ),
  given,
);

/** Elastic Load Balancing API reference 2015-12-01, CreateTargetGroup. */
export const targetGroupArn = text(
  arn(
    [arnPattern("elasticloadbalancing", "targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]+")],
    "arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>",
  ),
  given,
);

/** IAM API reference, CreateRole. */
export const roleName = text(
  matching(/^[\w+=,.@-]{1,64}$/, "is not the name of an IAM role: 1 to 64 letters, digits and _+=,.@-"),
  given,
);

/** Route 53 API reference, ResourceId: at most 32 characters; ids of hosted zones begin with Z. */
export const hostedZoneId = text(
  matching(/^Z[A-Z0-9]{1,31}$/, "is not the id of a Route 53 hosted zone, for example Z1D633PJN98FT9"),
  later,
);

const longestHostname = 253;
const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/** A host's name (RFC 1123, 2.1): labels of at most 63 characters, 253 together; the last is not a number alone. */
export const hostname = text((value) => {
  if (!new RegExp(`^(?:${label}\\.)+(?!\\d+$)${label}$`).test(value)) {
    return "is not a DNS name in lower case, for example mqtt.example.com";
  }
  return value.length > longestHostname
    ? `has ${value.length} characters, and a DNS name has ${longestHostname} at most`
    : undefined;
});

/** S3 user guide, "General purpose bucket naming rules". */
export const bucketName = text(
  (value) =>
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value) &&
    !/\.\.|^\d+\.\d+\.\d+\.\d+$|^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(
      value,
    )
      ? undefined
      : "is not the name of an S3 bucket",
  { ...later, needed: "name the bucket that the logs go to" },
);

/**
 * Where in the bucket a Classic ELB puts its logs: `<prefix>/AWSLogs/…` (Classic Load Balancer user guide, "Access logs").
 * Slashes at the ends would make empty folders. S3's keys have 1,024 bytes; about 200 are the log's own.
 */
export const bucketPrefix = text(
  matching(
    /^(?!\/)(?!.*\/$)(?!.*\/\/)(?!.*AWSLogs)[\w!.*'()/-]{1,800}$/,
    "is not a prefix of an object's key: letters, digits and -_./!*'(), no slash first or last, not AWSLogs",
  ),
  later,
);

/** AWS's own parameters are under these words. */
const keptByAws = /^\/?(?:aws|ssm)/i;

/** The name of one of a user's SSM parameters (SSM API reference, PutParameter): with a slash in it, it begins with one. */
export function isParameterName(value: string): boolean {
  return /^(?:[\w.-]+|(?:\/[\w.-]+){1,15})$/.test(value) && value.length <= 1011 && !keptByAws.test(value);
}

/** Names of alarms end at 255 characters, and begin with the prefix. */
export const longestPrefix = 200;
/** SSM's hierarchies end at 15 levels (Systems Manager user guide, "Working with parameter hierarchies"); nodes add three. */
const mostLevels = 12;

/** The path of a cluster's SSM parameters (SSM API reference, PutParameter). */
export const parameterPrefixGrammar: Grammar = (value) => {
  if (!/^(?:\/[\w.-]+)+$/.test(value)) {
    return (
      `is not a path of SSM parameters; write it with a slash first and none at the end, ` +
      `for example /emqx/project/stack/emqx-nodes`
    );
  }
  if (value.split("/").length - 1 > mostLevels) {
    return `has ${value.split("/").length - 1} levels, and there is room for ${mostLevels}; use fewer slashes`;
  }
  if (keptByAws.test(value)) {
    return "begins with aws or ssm, which SSM keeps for AWS's own parameters; begin it with another word";
  }
  return value.length <= longestPrefix
    ? undefined
    : `has ${value.length} characters, and names of alarms that begin with it have room for ${longestPrefix}; ` +
        `use shorter names of project, stack and component`;
};
export const parameterPrefix = text(parameterPrefixGrammar, {
  ...later,
  needed: "give parameterPrefix of EmqxClusterNodes",
});

/** What EMQX nodes of this library are called. */
export const nodeName = text(
  matching(
    /^emqx@(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/,
    "is not the name of an EMQX node, for example emqx@192.168.0.10",
  ),
  { ...given, needed: "give the node's name, nodeNames of EmqxClusterNodes" },
);
