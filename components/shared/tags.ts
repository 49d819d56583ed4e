import type * as pulumi from "@pulumi/pulumi";
import { text, type MapShape } from "./inputs";

export type Tags = Record<string, pulumi.Input<string>>;

/** The user's tags, and the resource's name where the console shows it. A `Name` of the user's wins. */
export function tagged(name: string, tags: Tags | undefined): Tags {
  return { Name: name, ...tags };
}

/**
 * Tag of the data volumes; its value is the path of the cluster's parameters, which no other cluster of the account and
 * region has. Snapshots are taken of the volumes that have it.
 */
export const dataVolumeTag = "emqx:data";

/**
 * What all services take that get the tags: IAM's characters (IAM API reference, Tag; S3, SSM, ELB and CloudWatch Logs have
 * the same set), EC2's 127 characters of a key (EC2 API reference, Tag: IAM has 128), 256 of a value.
 */
const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const characterWords = "letters, digits, spaces and _ . : / = + - @";
const longestKey = 127;
const longestValue = 256;
/** Tags that a resource may have (the same references); of Data Lifecycle Manager's policies 45. */
const mostTags = { everywhere: 50, snapshotPolicy: 45 };

function valueProblem(tag: string, ec2Only = false): string | undefined {
  return !ec2Only && !characters.test(tag)
    ? `has characters that not every AWS service takes in the value of a tag; use ${characterWords}`
    : [...tag].length > longestValue
      ? `has ${[...tag].length} characters, and the value of a tag has ${longestValue} at most`
      : undefined;
}

const value = text((tag) => valueProblem(tag), { later: true });

/** What is special about the tags of a component. */
export interface TagRules {
  /** Keys that the component sets itself and nobody may change. */
  taken?: string[];
  /** Whether a policy of snapshots gets the tags, too. */
  snapshots?: boolean;
  /** Whether all of its resources are EC2's, which takes any character, and for which case makes another key. */
  ec2Only?: boolean;
}

/** Of components with data volumes. */
export const nodeTagRules: TagRules = { taken: [dataVolumeTag] };

const mostOf = ({ snapshots }: TagRules) => (snapshots ? mostTags.snapshotPolicy : mostTags.everywhere);

/** Tags of every resource of a component. */
export function tagsInput(rules: TagRules = {}): MapShape {
  return {
    kind: "map",
    item: value,
    check: (input, tags) => [
      ...Object.keys(tags).flatMap((key) => keyProblems(input, key, rules)),
      ...twins(input, ["Name", ...Object.keys(tags)]),
      ...countProblems(input, Object.keys(tags), mostOf(rules) - (rules.taken ?? []).length),
    ],
  };
}

const defaultTags = "defaultTags of the aws provider";

/**
 * What is wrong with the provider's default tags, where a component has `own` ones beside them; an own tag takes the place of
 * the default one of the same key. They are not this library's: what AWS takes for a component is not refused here.
 */
export function defaultTagProblems(
  defaults: Record<string, string>,
  own: string[],
  rules: TagRules,
): string[] {
  const set = [...new Set(["Name", ...(rules.taken ?? []), ...own])];
  const added = Object.keys(defaults).filter((key) => !set.includes(key));
  const all = [...set, ...added];
  const most = mostOf(rules);
  return [
    ...added.flatMap((key) => keyProblems(defaultTags, key, { ...rules, taken: [] })),
    ...added.flatMap((key) => {
      const tag = String(defaults[key]);
      const problem = valueProblem(tag, rules.ec2Only);
      return problem === undefined ? [] : [`${defaultTags}: ${key}: ${JSON.stringify(tag)} ${problem}`];
    }),
    // The component's own twins are found without the provider.
    ...(rules.ec2Only ? [] : twins(defaultTags, all, new Set(added))),
    ...(added.length > 0 && all.length > most
      ? [
          `${defaultTags}: ${added.length} tags, which beside ${set.length} of the component (${set.join(", ")}) make ` +
            `${all.length}, and there is room for ${most}; use fewer of either`,
        ]
      : []),
  ];
}

function keyProblems(input: string, key: string, { taken = [], ec2Only }: TagRules): string[] {
  const shown = JSON.stringify(key);
  if (key === "" || (!ec2Only && !characters.test(key))) {
    return [
      `${input}: the key ${shown} ${key === "" ? "is empty" : "has characters that not every AWS service takes"}; ` +
        `use ${characterWords}`,
    ];
  }
  if ([...key].length > longestKey) {
    return [
      `${input}: the key ${shown} has ${[...key].length} characters, and EC2 takes ${longestKey} at most`,
    ];
  }
  if (/^aws:/i.test(key)) {
    return [`${input}: the key ${shown} begins with aws:, which AWS keeps for its own tags; choose another`];
  }
  return taken.some((own) => own.toLowerCase() === key.toLowerCase())
    ? [
        `${input}: the key ${shown} is the component's own, by which snapshots find the data volumes; choose another`,
      ]
    : [];
}

/** IAM's keys ignore case: one beside another that differs in nothing else is refused (IAM user guide, "Tags for IAM resources"). */
function twins(input: string, keys: string[], of = new Set(keys)): string[] {
  return [...new Set(keys)].flatMap((key, i, all) => {
    if (!of.has(key)) return [];
    const twin = all.slice(0, i).find((earlier) => earlier.toLowerCase() === key.toLowerCase());
    return twin === undefined
      ? []
      : [
          `${input}: ${JSON.stringify(key)} is ${JSON.stringify(twin)} in other letters, which IAM takes for the same key; ` +
            `${twin === "Name" ? `write Name, or use another key` : "keep one of them"}`,
        ];
  });
}

function countProblems(input: string, keys: string[], most: number): string[] {
  const count = new Set(["Name", ...keys]).size;
  return count > most
    ? [
        `${input}: ${keys.length} tags, which with Name make ${count}, and there is room for ${most}; use fewer`,
      ]
    : [];
}
