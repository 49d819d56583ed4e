/** MQTT users as settings: what is refused, and a chain of one's own beside them. */
import { extraConfigProblems } from "../../../components/emqx/extraConfig";
import { describeUsers, namesOfUsers, usersProblems } from "../../../components/emqx/users";
import { clusterNodesInputs } from "../../../components/nodes/settings";
import { inputProblems } from "../../../components/shared/inputs";

test.each<[unknown, string[]]>([
  [[{ username: "a b" }], ['users[0].username: "a b" is not a name of 1 to 64 letters, digits or . _ @ -']],
  [[{ password: "Long-Enough-1" }], ["users[0].username: missing; give the user's name"]],
  [
    [{ username: "a", password: "short" }],
    [
      "users[0].password: is not a text of 8 to 64 letters, digits or signs, without quotes, comma, backslash and dollar",
    ],
  ],
  [[{ username: "a", superuser: "yes" }], ['users[0].superuser: "yes" is not true or false']],
])("%j", (users, expected) => {
  expect(inputProblems("users", clusterNodesInputs.users, users, {})).toEqual(expected);
});

test("users are others than the first one and than each other, and as many as a parameter holds", () => {
  expect(usersProblems([{ username: "mqtt" }, { username: "a" }, { username: "a" }], "mqtt", false)).toEqual([
    'users[0].username: "mqtt" is the first user, who is there already; choose another name',
    'users[2].username: "a" is also users[1]; give each a name of its own',
  ]);
  expect(
    usersProblems([{ username: "a", password: "Given-1234", passwordVersion: 2 }], "mqtt", false),
  ).toEqual([expect.stringMatching(/^users\[0\]\.passwordVersion: given together with password/)]);
  expect(usersProblems([{ username: "a" }], "mqtt", true)).toEqual([
    expect.stringMatching(/^users: given, but with anonymousAccess/),
  ]);
  const many = (count: number) => Array.from({ length: count }, (_, i) => ({ username: `device-${i}` }));
  expect(usersProblems(many(40), "mqtt", false)).toEqual([]);
  expect(usersProblems(many(60), "mqtt", false)).toEqual([
    expect.stringMatching(
      /^users: 60 users may take \d+ bytes, and their parameter holds 4096; keep that many in a database of your own/,
    ),
  ]);
});

test("the description names as many as it holds", () => {
  const many = Array.from({ length: 45 }, (_, i) => ({ username: `${"long-".repeat(8)}${i}` }));
  const description = describeUsers(many);
  expect(description.length).toBeLessThanOrEqual(1024);
  expect(namesOfUsers(description)).toEqual([
    ...many
      .map(({ username }) => username)
      .sort()
      .slice(0, 21),
    "and 24 more",
  ]);
});

const own = "{ mechanism = password_based, backend = built_in_database }";
const http = '{ mechanism = password_based, backend = http, method = get, url = "http://10.0.0.9/" }';
test.each<[string, RegExp[]]>([
  [`authentication = [${own}, ${http}]`, []],
  [`authentication = [${http}, ${own}]`, []],
  [`authentication = [${http}]`, [/authentication is set by the component: .* name EMQX's own users in it/]],
  [`authentication = [${http}, ${own.replace(" }", ", enable = false }")}]`, [/set by the component/]],
  [`authentication = [${own.replace(" }", ", user_id_type = clientid }")}]`, [/set by the component/]],
])("%s beside the built-in users", (extraConfig, expected) => {
  expect(extraConfigProblems(extraConfig, { version: "5.8.9" })).toEqual(
    expected.map((words) => expect.stringMatching(words) as string),
  );
  expect(extraConfigProblems(extraConfig, { version: "5.8.9", anonymousAccess: true })).toEqual([]);
});
