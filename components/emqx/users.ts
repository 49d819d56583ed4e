/** MQTT users of EMQX's built-in database: what they can be called, and the text by which nodes learn of them. */
import type { Input } from "@pulumi/pulumi";
import { shown } from "../shared/words";
import { mostParameterBytes } from "./parameters";

/** An MQTT user of EMQX's built-in database, beside the first one. */
export interface EmqxUserArgs {
  /** What the user is called: 1 to 64 letters, digits or `._@-`. */
  username: string;
  /** The password, 8 to 64 characters. Default: one that is generated. */
  password?: Input<string>;
  /** Raise it for a new generated password; nodes take it up while they run. Default: 1. */
  passwordVersion?: number;
  /** Whether the user may do everything, whatever the ACL says. Default: false. */
  superuser?: boolean;
}

/** A name that stands in an address and in a list without quotes. */
export function usernameWords(name: string): string | undefined {
  return /^[A-Za-z0-9._@-]{1,64}$/.test(name)
    ? undefined
    : "is not a name of 1 to 64 letters, digits or . _ @ -";
}

/** As nodes take it (operations/common.ts). Without a word of it. */
export function passwordProblems(input: string, value: unknown): string[] {
  return typeof value === "string" && /^[A-Za-z0-9!#%&()*+./:;<=>?@^_{|}~-]{8,64}$/.test(value)
    ? []
    : [
        `${input}: is not a text of 8 to 64 letters, digits or signs, without quotes, comma, backslash and dollar`,
      ];
}

export function usersProblems(users: EmqxUserArgs[], firstUser: string, anonymousAccess: boolean): string[] {
  if (anonymousAccess) {
    return [
      "users: given, but with anonymousAccess EMQX has no users of its own; leave one of them out, and for an authentication of your " +
        "own beside users name the built-in database in it, { mechanism = password_based, backend = built_in_database }",
    ];
  }
  const names = users.map(({ username }) => username);
  const twice = names.flatMap((name, i) =>
    name === firstUser
      ? [`users[${i}].username: "${name}" is the first user, who is there already; choose another name`]
      : names.indexOf(name) < i
        ? [
            `users[${i}].username: "${name}" is also users[${names.indexOf(name)}]; give each a name of its own`,
          ]
        : [],
  );
  const unused = users.flatMap(({ password, passwordVersion }, i) =>
    password !== undefined && passwordVersion !== undefined
      ? [
          `users[${i}].passwordVersion: given together with password, which is not generated; leave one of them out`,
        ]
      : [],
  );
  const bytes = Buffer.byteLength(renderUsers(users.map((user) => ({ ...user, password: "x".repeat(64) }))));
  return [
    ...twice,
    ...unused,
    ...(bytes > mostParameterBytes
      ? [
          `users: ${shown(users.length)} users may take ${bytes} bytes, and their parameter holds ${mostParameterBytes}; keep that many in a ` +
            `database of your own, which EMQX asks (extraConfig: authentication)`,
        ]
      : []),
  ];
}

/** A line a user, in the order of their names, so that the order of a list means nothing. */
export function renderUsers(users: { username: string; password: string; superuser?: boolean }[]): string {
  return [...users]
    .sort((a, b) => (a.username < b.username ? -1 : 1))
    .map(({ username, password, superuser = false }) => `${username},${password},${superuser}`)
    .join("\n");
}

const descriptionOfUsers = "MQTT users, a line of name, password, superuser for each: ";
/** What SSM takes for a parameter's description (SSM API reference, PutParameter), less words about the rest. */
const longestDescription = 1000;

/** The parameter's description, which names them: it can be read where the passwords cannot. */
export function describeUsers(users: EmqxUserArgs[]): string {
  const names = users
    .map(({ username, superuser }) => (superuser ? `${username} (superuser)` : username))
    .sort();
  let shown = names.length;
  const description = () =>
    descriptionOfUsers +
    [...names.slice(0, shown), ...(shown < names.length ? [`and ${names.length - shown} more`] : [])].join(
      ", ",
    );
  while (description().length > longestDescription) shown -= 1;
  return description();
}

/** The names in that description. */
export function namesOfUsers(description: string): string[] {
  return description.startsWith(descriptionOfUsers)
    ? description.slice(descriptionOfUsers.length).split(", ")
    : [];
}
