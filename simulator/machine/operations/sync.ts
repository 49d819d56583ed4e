/** Operation "sync", acted out: see components/emqx/operations/sync.ts for what it is. */
import type { Operation, OperationRun } from "../operations";
import type { FileSystem } from "../fileSystem";
import { membersOf } from "./clusterFile";
import { evacuatingFile } from "./drain";
import { awsCall, nodeFolder, parameter, passwordRule, secret, type Step } from "../script";

const parameters = [
  ...["cluster", "dashboard-password", "mqtt-password", "license-key", "monitoring", "backup"],
  ...["sync", "services", "upkeep", "install", "join", "drain", "backup", "restore"].map(
    (name) => `operations/${name}`,
  ),
];
/** Where the text of a parameter goes, for those that are text. */
const texts: Record<string, string> = {
  cluster: "cluster.env",
  backup: "backup.env",
  monitoring: "monitoring.json",
};
const reported = ["dashboard-password", "mqtt-password", "license-key"];
const seenFile = `${nodeFolder}/seen`;
/** On the data volume: what the cluster's database has taken up. */
export const takenFile = "/var/lib/emqx/emqx-node.applied";
const reportedFile = `${nodeFolder}/reported`;

export const sync: Operation = () => {
  let versions: Record<string, number> = {};
  const isNew = (run: OperationRun, name: string) =>
    versions[name] !== undefined && !listOf(run, name).lines.includes(`${name} ${versions[name]}`);
  const note = (run: OperationRun, name: string) => {
    const { files, path, lines } = listOf(run, name);
    write(files, path, [
      ...lines.filter((line) => !line.startsWith(`${name} `)),
      `${name} ${versions[name]}`,
    ]);
  };
  const take = async (run: OperationRun, name: string, file: string) => {
    const { value, problem } = await parameter(run, name);
    if (value === undefined) {
      throw new Error(`parameter ${run.values["PARAMETER_PREFIX"]}/${name}: ${problem}`);
    }
    write(run.machine.files, `${nodeFolder}/${file}`, [value.trimEnd()]);
    note(run, name);
  };
  const gone = (run: OperationRun, name: string) =>
    versions[name] === undefined && run.machine.files.has(`${nodeFolder}/${texts[name]}`);
  const forget = (run: OperationRun, name: string) => {
    run.machine.files.delete(`${nodeFolder}/${texts[name]}`);
    const { files, path, lines } = listOf(run, name);
    write(
      files,
      path,
      lines.filter((line) => !line.startsWith(`${name} `)),
    );
  };
  const emqx = ({ machine }: OperationRun) => machine.emqx();

  const fetched = (run: OperationRun) =>
    [...parameters.filter((name) => name.startsWith("operations/")), "cluster", "backup"].filter((name) =>
      isNew(run, name),
    );
  const steps: Step<OperationRun>[] = [
    [
      "fetching ",
      async (run) => {
        for (const name of fetched(run)) {
          await take(run, name, texts[name] ?? name);
        }
      },
      async (run) => {
        versions = await readVersions(run);
        const names = fetched(run);
        run.variables["1"] = names.join(", ");
        return names.length > 0;
      },
    ],
    [
      "starting the CloudWatch agent",
      (run) => take(run, "monitoring", "monitoring.json"),
      (run) => isNew(run, "monitoring"),
    ],
    [
      "stopping the CloudWatch agent",
      async (run) => forget(run, "monitoring"),
      (run) => gone(run, "monitoring"),
    ],
    ["ending the backups", async (run) => forget(run, "backup"), (run) => gone(run, "backup")],
    [
      "ending an evacuation",
      async (run) => {
        emqx(run)?.stopEvacuation();
        run.machine.volumeFiles.delete(evacuatingFile);
      },
      (run) => emqx(run) !== undefined && run.machine.volumeFiles.has(evacuatingFile),
    ],
    [
      "removing ",
      async (run) => {
        for (const node of formerMembers(run)) {
          await emqx(run)?.forceLeave(node);
        }
      },
      (run) => {
        run.variables["node"] = formerMembers(run).join(", ");
        return formerMembers(run).length > 0;
      },
    ],
    [
      "renewing the licence",
      async (run) => {
        write(run.machine.files, `${nodeFolder}/license.key`, [
          await secret(run, "license-key", /^\S+$/, "a licence key"),
        ]);
        emqx(run)?.reloadLicense();
        note(run, "license-key");
      },
      (run) => emqx(run) !== undefined && run.values["HAS_LICENSE"] === "true" && isNew(run, "license-key"),
    ],
    [
      "taking up the passwords",
      async (run) => {
        const dashboard = await secret(run, "dashboard-password", passwordRule.pattern, passwordRule.words);
        if (emqx(run)?.logsIn(dashboard) === false) {
          await emqx(run)?.setDashboardPassword(dashboard);
        }
        note(run, "dashboard-password");
        const user = run.values["MQTT_USERNAME"] ?? "";
        if (user !== "" && isNew(run, "mqtt-password")) {
          const password = await secret(run, "mqtt-password", passwordRule.pattern, passwordRule.words);
          await emqx(run)?.setUserPassword(user, password);
          note(run, "mqtt-password");
        }
      },
      (run) => emqx(run) !== undefined && (isNew(run, "dashboard-password") || isNew(run, "mqtt-password")),
    ],
    [
      "reporting the parameters",
      async (run) => {
        const name = `${run.values["PARAMETER_PREFIX"]}/nodes/${run.values["NODE_NUMBER"]}/applied`;
        const { problem } = await awsCall(run, "ssm", () =>
          run.machine.role.putParameter(name, applied(versions)),
        );
        if (problem !== undefined) {
          throw new Error(problem);
        }
        write(run.machine.files, reportedFile, [applied(versions)]);
      },
      (run) =>
        emqx(run) !== undefined && run.machine.files.get(reportedFile)?.content !== `${applied(versions)}\n`,
    ],
    ["reporting $(<", async () => {}, () => false],
  ];
  return steps;
};

function applied(versions: Record<string, number>): string {
  return reported
    .flatMap((name) => (versions[name] === undefined ? [] : [`${name}=${versions[name]}`]))
    .join(" ");
}

/** `aws ssm get-parameters`, without decryption: the versions of those that exist. */
async function readVersions(run: OperationRun): Promise<Record<string, number>> {
  const prefix = run.values["PARAMETER_PREFIX"] ?? "";
  const { value, problem } = await awsCall(run, "ssm", () =>
    run.machine.role.parameterVersions(parameters.map((name) => `${prefix}/${name}`)),
  );
  if (value === undefined) {
    throw new Error(problem);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, version]) => [name.slice(prefix.length + 1), version]),
  );
}

/** Stopped members that the deployment does not have any more. */
function formerMembers({ machine }: OperationRun): string[] {
  if (machine.emqx() === undefined) {
    return [];
  }
  const members = membersOf(machine.files.get(`${nodeFolder}/cluster.env`)?.content);
  return machine.cluster().stopped.filter((node) => !members.includes(node.replace(/^emqx@/, "")));
}

/** The list of "name version" that this parameter is noted in: passwords on the volume, all else on the root disk. */
function listOf({ machine }: OperationRun, name: string) {
  const [files, path] = name.endsWith("-password")
    ? [machine.volumeFiles, takenFile]
    : [machine.files, seenFile];
  return { files, path, lines: (files.get(path)?.content ?? "").split("\n").filter((line) => line !== "") };
}

function write(files: FileSystem, path: string, lines: string[]): void {
  files.set(path, {
    content: lines.map((line) => `${line}\n`).join(""),
    mode: 0o644,
    owner: "root:root",
  });
}
