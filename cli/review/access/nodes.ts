/** What keeps people from using EMQX, and the machines that it runs on, as they should not. */
import { noListener, safeguardsOfNode } from "../../../components/emqx/access";
import { clustersOf } from "../change/network";
import { isUnknown } from "../preview/engine";
import type { Existing, Side } from "../change/side";
import { list, number, record, text } from "../change/values";
import type { Owned } from "./safeguard";
import { encryption } from "./resources";

/** A stack's only cluster is the same one whatever its name; of several, each is its own. */
export function nodeSafeguards(side: Side): Owned[] {
  const clusters = clustersOf(side);
  return clusters.flatMap(({ key, name, instances }) =>
    instances.flatMap((instance) =>
      [...configured(instance), ...machine(instance)].map((safeguard) => ({
        ...safeguard,
        key: clusters.length > 1 ? key : "nodes",
        owner: name,
      })),
    ),
  );
}

type Unowned = Omit<Owned, "key" | "owner">;

export function userDataOf({ inputs }: Existing): string | undefined {
  const encoded = text(inputs.userDataBase64);
  return text(inputs.userData) ?? (encoded && Buffer.from(encoded, "base64").toString());
}

function configured(instance: Existing): Unowned[] {
  const userData = userDataOf(instance);
  if (userData === undefined) return [];
  const safeguards = safeguardsOfNode(userData);
  if (safeguards) {
    return safeguards.map((safeguard) => ({
      ...safeguard,
      ...(safeguard.what.startsWith("EMQX's listener ") && { absent: noListener }),
      ...(safeguard.state.endsWith("as configured") && { absent: { state: "EMQX's default", rank: 1 } }),
    }));
  }
  const isHidden = isUnknown(userData) || /^\[secret\]$/.test(userData);
  return isHidden || userData.includes("emqx")
    ? [
        {
          what: "EMQX's configuration",
          ...{ state: "cannot be read in this preview", rank: 0, detail: userData },
          absent: { state: "can be read", rank: 1 },
        },
      ]
    : [];
}

function machine({ inputs }: Existing): Unowned[] {
  const metadata = record(inputs.metadataOptions);
  const hops = number(metadata.httpPutResponseHopLimit) ?? 1;
  const isOff = text(metadata.httpEndpoint) === "disabled";
  const needsToken = text(metadata.httpTokens) === "required";
  const disks = [inputs.rootBlockDevice, ...list(inputs.ebsBlockDevices)].filter(
    (disk) => disk !== undefined,
  );
  return [
    {
      what: "Instance metadata",
      ...(isOff
        ? { state: "off", rank: 2 }
        : needsToken
          ? { state: "IMDSv2 only", rank: 1 }
          : { state: "IMDSv1, without a session", rank: 0 }),
    },
    { what: "Hops from which instance metadata answers", state: String(hops), rank: -hops },
    {
      what: "SSH key of the nodes",
      ...(inputs.keyName === undefined
        ? { state: "none", rank: 1 }
        : { state: text(inputs.keyName) ?? "one", rank: 0 }),
    },
    ...disks.map((disk, i): Unowned => ({
      what: i === 0 ? "Encryption of root disks" : `Encryption of further disks (${i})`,
      ...encryption(record(disk).encrypted === true, record(disk).kmsKeyId),
    })),
    {
      what: "Role of the nodes",
      state: isUnknown(inputs.iamInstanceProfile)
        ? "the stack's own"
        : generic(text(inputs.iamInstanceProfile)),
    },
  ];
}

/** A generated name is another one in every deployment; what the role may do is compared by itself. */
function generic(profile: string | undefined): string {
  return profile === undefined ? "none" : /-[0-9a-f]{7}$/.test(profile) ? "the stack's own" : profile;
}
