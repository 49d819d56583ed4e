/** From hosts.yaml to a folder for each host. What a host no longer needs goes; what is up to date is not touched. */
import { randomInt } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parse } from "yaml";
import { licenseProblems } from "../../components/emqx/license";
import { renderHosts, type HostSecrets, type RenderedHost } from "../../components/hosts/render";
import { hostsInputs, hostsProblems, type HostsArgs } from "../../components/hosts/settings";
import { isRecord, type Shape } from "../../components/shared/inputs";
import type { Answer } from "../command";
import { UserError } from "../console";
import { readParsed } from "../files";

/** Made once, and kept here: those who render again need them. */
const secretsFile = "secrets.json";

export function renderInto(file: string, folder: string): Answer {
  const args = readParsed(file, parse, isArgs, "It has to be like examples/hosts/hosts.yaml.");
  const problems = [...unknownSettings("", hostsInputs, args), ...hostsProblems(args)];
  if (problems.length > 0) refuse(file, problems);
  const beside = (name: string) => {
    try {
      return readFileSync(resolve(dirname(file), name), "utf8");
    } catch (error) {
      throw new UserError(`${file}: ${name} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  };
  const { certificate, licenseKeyFile } = args;
  const given = {
    ...(certificate && { certificate: beside(certificate.file) }),
    ...(certificate?.clientAuthoritiesFile && {
      clientAuthorities: beside(certificate.clientAuthoritiesFile),
    }),
    ...(licenseKeyFile && { licenseKey: beside(licenseKeyFile).replaceAll(/[ \r\n]/g, "") }),
  };
  const wrong = [
    ...(given.certificate === undefined || isWholePem(given.certificate)
      ? []
      : ["certificate.file: has not both a certificate and its key, in PEM; put the one behind the other"]),
    ...(given.licenseKey === undefined
      ? []
      : licenseProblems("licenseKeyFile", given.licenseKey, args.nodes.length)),
  ];
  if (wrong.length > 0) refuse(file, wrong);

  const rendered = renderHosts(args, { ...keptSecrets(folder), ...given });
  const written = rendered.hosts.flatMap((host) => writeHost(folder, host));
  if (put(join(folder, "README.md"), rendered.readme, 0o644)) written.push("README.md");
  const hosts = rendered.hosts.map(({ name }) => name);
  const stale = readdirSync(folder).filter(
    (name) => !hosts.includes(name) && existsSync(join(folder, name, "install.sh")),
  );
  return {
    facts: { hosts, written, stale },
    text: () =>
      [
        ...(written.length === 0 ? ["Nothing is new."] : written.map((name) => `wrote ${name}`)),
        ...stale.map((name) => `${name} is no host of ${file} any more: delete its folder when it is gone`),
        `Next: hosts check ${folder}, then the steps of ${join(folder, "README.md")}.`,
      ].join("\n"),
  };
}

function refuse(file: string, problems: string[]): never {
  throw new UserError(
    `${file}: nothing was written, because it cannot work:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
  );
}

function isArgs(value: unknown): value is HostsArgs {
  return isRecord(value);
}

/** Nobody else reads this file: whatever is not known is a mistake. */
function unknownSettings(path: string, shapes: Record<string, Shape>, value: object): string[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    if (shape === undefined) {
      return [`${path}${name}: there is no such setting; there are ${Object.keys(shapes).join(", ")}`];
    }
    return shape.kind === "object" && isRecord(inner)
      ? unknownSettings(`${path}${name}.`, shape.fields, inner)
      : [];
  });
}

function isWholePem(text: string): boolean {
  return text.includes("-----BEGIN CERTIFICATE-----") && /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(text);
}

function keptSecrets(folder: string): HostSecrets {
  const file = join(folder, secretsFile);
  const kept = existsSync(file)
    ? readParsed(
        file,
        JSON.parse,
        isRecord,
        "Delete it for new secrets, which the nodes take up at their first start only.",
      )
    : {};
  const word = (length: number) => {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    return Array.from({ length }, () => letters[randomInt(letters.length)]).join("");
  };
  const secrets = {
    // A letter first, so that neither a shell nor HOCON takes it for a number.
    cookie: `c${word(47)}`,
    dashboardPassword: word(32),
    mqttPassword: word(32),
    ...(kept as object),
  };
  mkdirSync(folder, { recursive: true });
  put(file, `${JSON.stringify(secrets, undefined, 2)}\n`, 0o600);
  return secrets;
}

/** The paths, from the folder, of what was written. */
function writeHost(folder: string, { name, script, files }: RenderedHost): string[] {
  const root = join(folder, name);
  const wanted = new Map(
    files.map(({ path, content, mode }) => [join(root, "files", path), { content, mode }]),
  );
  const gone = existsSync(join(root, "files"))
    ? filesIn(join(root, "files")).filter((path) => !wanted.has(path))
    : [];
  gone.forEach((path) => rmSync(path));
  const written = [...wanted].filter(([path, { content, mode }]) =>
    // Whoever is of another group here has no business with them, whatever the group is there.
    put(path, content, mode === "0644" ? 0o644 : 0o600),
  );
  const paths = written.map(([path]) => path);
  if (put(join(root, "install.sh"), script, 0o755)) paths.push(join(root, "install.sh"));
  return paths.map((path) => relative(folder, path));
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Whether it was not there like this. A secret is never readable in between. */
function put(path: string, content: string, mode: number): boolean {
  if (existsSync(path) && readFileSync(path, "utf8") === content && (statSync(path).mode & 0o777) === mode)
    return false;
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return true;
}
