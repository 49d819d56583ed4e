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

const value = text(
  (tag) =>
    !characters.test(tag)
      ? `has characters that not every AWS service takes in the value of a tag; use ${characterWords}`
      : [...tag].length > longestValue
        ? `has ${[...tag].length} characters, and the value of a tag has ${longestValue} at most`
        : undefined,
  { later: true },
);

/** Tags of every resource of a component; `taken` are keys that the component sets itself and nobody may change. */
export function tagsInput(taken: string[] = [], snapshots = false): MapShape {
  const most = snapshots ? mostTags.snapshotPolicy : mostTags.everywhere;
  return {
    kind: "map",
    item: value,
    check: (input, tags) => [
      ...Object.keys(tags).flatMap((key) => keyProblems(input, key, taken)),
      ...twins(input, ["Name", ...Object.keys(tags)]),
      ...countProblems(input, Object.keys(tags), most - taken.length),
    ],
  };
}

function keyProblems(input: string, key: string, taken: string[]): string[] {
  const shown = JSON.stringify(key);
  if (key === "" || !characters.test(key)) {
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
function twins(input: string, keys: string[]): string[] {
  return [...new Set(keys)].flatMap((key, i, all) => {
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
