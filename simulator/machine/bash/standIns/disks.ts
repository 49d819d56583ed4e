/** Programs of util-linux, xfsprogs and amazon-ec2-utils that look at block devices, make and grow file systems. */
import { existsSync, statSync } from "node:fs";
import { fail, readOptions, type StandIn, valueOf } from "../standIn";

/** Exit codes of blkid(8): 2 nothing found, 4 usage. */
const blkid: StandIn = ({ args }, { disks }) => {
  const options = readOptions(args, ["-p"], ["-o", "-s"]);
  if (typeof options === "string" || options.rest.length !== 1) {
    return fail(
      typeof options === "string"
        ? `blkid: ${options}`
        : "blkid: The low-level probing mode requires a device",
      4,
    );
  }
  const [device] = options.rest as [string];
  const volumeId = disks.volumeAt(device);
  if (volumeId === undefined || !disks.isFormatted(volumeId)) {
    return existsSync(device) || volumeId !== undefined
      ? { code: 2 }
      : fail(`blkid: error: ${device}: No such file or directory`, 2);
  }
  const facts: Record<string, string> = {
    LABEL: "emqx",
    UUID: disks.uuidOf(volumeId),
    BLOCK_SIZE: "512",
    TYPE: "xfs",
  };
  const wanted = options.values.get("-s") ?? Object.keys(facts);
  const found = Object.entries(facts).filter(([name]) => wanted.includes(name));
  return valueOf(options, "-o") === "value"
    ? { out: found.map(([, value]) => `${value}\n`).join("") }
    : {
        out: `${device}: ${found.map(([name, value]) => `${name}="${value}"`).join(" ")} USAGE="filesystem"\n`,
      };
};

const wipefs: StandIn = ({ args }, { disks }) => {
  const options = readOptions(args, ["--noheadings", "-i"], []);
  if (typeof options === "string" || options.rest.length !== 1) {
    return fail(typeof options === "string" ? `wipefs: ${options}` : "wipefs: no device specified");
  }
  const [device] = options.rest as [string];
  const volumeId = disks.volumeAt(device);
  if (volumeId === undefined) {
    return fail(`wipefs: error: ${device}: probing initialization failed: No such file or directory`);
  }
  return disks.isFormatted(volumeId) ? { out: `0x0 xfs ${disks.uuidOf(volumeId)} emqx\n` } : {};
};

const mkfsXfs: StandIn = ({ args }, { disks }) => {
  const options = readOptions(args, ["-q", "-f"], ["-L"]);
  if (typeof options === "string" || options.rest.length !== 1) {
    return fail(
      typeof options === "string" ? `mkfs.xfs: ${options}` : "no device name given in argument list",
    );
  }
  const [device] = options.rest as [string];
  const volumeId = disks.volumeAt(device);
  if (volumeId === undefined) {
    return fail(`Error accessing specified device ${device}: No such file or directory`);
  }
  if (disks.isFormatted(volumeId) && !options.flags.has("-f")) {
    return fail(
      `mkfs.xfs: ${device} appears to contain an existing filesystem (xfs).\nmkfs.xfs: Use the -f option to force overwrite.`,
    );
  }
  disks.format(volumeId);
  return {};
};

/** mountpoint(1): 32 where it is none. */
const mountpoint: StandIn = ({ args }, { disks, root }) => {
  const options = readOptions(args, ["-q"], []);
  if (typeof options === "string" || options.rest.length !== 1) {
    return fail(typeof options === "string" ? `mountpoint: ${options}` : "mountpoint: bad usage");
  }
  const [path] = options.rest as [string];
  if (disks.mountedAt(path) !== undefined) {
    return options.flags.has("-q") ? {} : { out: `${root.inside(path)} is a mountpoint\n` };
  }
  return {
    code: existsSync(path) ? 32 : 1,
    ...(options.flags.has("-q") ? {} : { out: `${path} is not a mountpoint\n` }),
  };
};

const xfsGrowfs: StandIn = ({ args }, { disks }) =>
  args.length === 1 && disks.mountedAt(args[0]!) !== undefined
    ? { out: "meta-data=/dev/nvme1n1 isize=512 agcount=4\n" }
    : fail(`xfs_growfs: ${args.at(-1) ?? ""} is not a mounted XFS filesystem`);

/** `xfs_db -r -c sb -c 'print inprogress' DEVICE`: 1 where mkfs.xfs was cut off. */
const xfsDb: StandIn = ({ args }, { disks }) => {
  const options = readOptions(args, ["-r"], ["-c"]);
  const [device] = typeof options === "string" ? [] : options.rest;
  if (
    typeof options === "string" ||
    device === undefined ||
    options.values.get("-c")?.join() !== "sb,print inprogress"
  ) {
    return fail(`xfs_db: in the simulated region only -r -c sb -c "print inprogress": ${args.join(" ")}`);
  }
  const volumeId = disks.volumeAt(device);
  return volumeId !== undefined && disks.isFormatted(volumeId)
    ? { out: "inprogress = 0\n" }
    : fail(`xfs_db: ${device} is not a valid XFS filesystem (unexpected SB magic number 0x00000000)`);
};

/** There are no NVMe devices here: volumes are attached under the names that they were given. */
const ebsnvmeId: StandIn = ({ args }) => {
  const device = args.at(-1) ?? "";
  return existsSync(device) && statSync(device).isFile()
    ? fail("[ERROR] Not an EBS device: Bad device")
    : fail(`[Errno 2] No such file or directory: '${device}'`);
};

export const diskPrograms: Record<string, StandIn> = {
  blkid,
  wipefs,
  "mkfs.xfs": mkfsXfs,
  mountpoint,
  xfs_growfs: xfsGrowfs,
  xfs_db: xfsDb,
  "ebsnvme-id": ebsnvmeId,
};
