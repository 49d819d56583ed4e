/** What clients may do: rules as data, EMQX's form of them, and what is wrong with either. */
import fc from "fast-check";
import { aclProblems, readAcl, renderAcl, type EmqxAclArgs } from "../../../components/emqx/acl";
import { extraConfigProblems } from "../../../components/emqx/extraConfig";
import { clusterNodesInputs } from "../../../components/nodes/settings";
import { inputProblems } from "../../../components/shared/inputs";

const problems = (acl: unknown, version = "5.8.9") => {
  const found = inputProblems("acl", clusterNodesInputs.acl, acl, {});
  return found.length > 0 ? found : aclProblems("acl", acl as EmqxAclArgs, version);
};

test("rules are written as EMQX has them, in their order", () => {
  const text = renderAcl({
    rules: [
      { permission: "allow", username: "ops", topics: ["#", "$SYS/#"] },
      { permission: "deny", action: "subscribe", topics: ["eq #", "eq +/#"] },
      {
        permission: "allow",
        usernamePattern: "^dev-",
        clientId: 'a"b\\',
        action: "publish",
        topics: ["up/${clientid}/+"],
      },
      {
        permission: "allow",
        clientIdPattern: "x$",
        cidrBlocks: ["10.0.0.0/8", "10.1.0.0/16"],
        topics: ["t"],
      },
    ],
    noMatch: "allow",
  });
  expect(text).toBe(`{allow, {username, "ops"}, all, ["#", "$SYS/#"]}.
{deny, all, subscribe, ["eq #", "eq +/#"]}.
{allow, {'and', [{username, {re, "^dev-"}}, {clientid, "a\\"b\\\\"}]}, publish, ["up/\${clientid}/+"]}.
{allow, {'and', [{clientid, {re, "x$"}}, {ipaddrs, ["10.0.0.0/8", "10.1.0.0/16"]}]}, all, ["t"]}.
{allow, all}.
`);
  expect(readAcl(text)[2]).toMatchObject({
    permission: "allow",
    who: { kind: "and", of: [{ isPattern: true }, { kind: "clientid", value: 'a"b\\' }] },
    action: "publish",
    topics: [{ filter: "up/${clientid}/+", exactly: false }],
  });
  // Nobody is let in by a list that is empty, and EMQX reads no empty file's rules.
  expect(renderAcl({ rules: [] })).toBe("{deny, all}.\n");
});

test("whatever a name is, EMQX reads it as it was given", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~äß東]{1,30}$/), (username) => {
      const [rule] = readAcl(renderAcl({ rules: [{ permission: "allow", username, topics: ["#"] }] }));
      expect(rule!.who).toEqual({ kind: "username", value: username, isPattern: false });
    }),
    { numRuns: 100 },
  );
});

test.each<[unknown, string[]]>([
  [
    { rules: [{ permission: "alow", topics: ["#"] }] },
    ['acl.rules[0].permission: "alow" is not one of allow, deny'],
  ],
  [{ rules: [{ permission: "deny" }] }, ['acl.rules[0].topics: none given; give the topics, ["#"] for all']],
  [
    { rules: [{ permission: "deny", user: "x", topics: ["#"] }] },
    [
      "acl.rules[0].user: there is no such input; there are permission, username, usernamePattern, clientId, clientIdPattern, cidrBlocks, action, topics",
    ],
  ],
  [
    { rules: [{ permission: "deny", topics: ["a/#/b"] }] },
    ['acl.rules[0].topics: "a/#/b" is not a topic filter: # stands alone in the last level'],
  ],
  [
    { rules: [{ permission: "deny", topics: ["a+/b"] }] },
    ['acl.rules[0].topics: "a+/b" is not a topic filter: + stands alone in its level'],
  ],
  [
    { rules: [{ permission: "allow", topics: ["$share/g/t"] }] },
    [
      'acl.rules[0].topics: "$share/g/t" is never asked for: EMQX asks for the topic without $share/group/ or $queue/',
    ],
  ],
  [
    { rules: [{ permission: "allow", topics: ["${user}/#"] }] },
    [
      'acl.rules[0].topics: "${user}/#" has ${user}, which EMQX does not know here; it knows ${username}, ${clientid} and ${client_attrs.NAME}',
    ],
  ],
  [
    { rules: [{ permission: "allow", usernamePattern: "a(", topics: ["#"] }] },
    ['acl.rules[0].usernamePattern: "a(" is not a regular expression'],
  ],
  [{ rules: [], file: "{deny, all}." }, ["acl: give either rules or file"]],
  [{ noMatch: "deny" }, ["acl: give either rules or file"]],
  [
    { file: '{allow, all}.\n{allow, {usr, "a"}, all, ["#"]}.' },
    ["acl.file: line 2: there is no condition usr; did you mean user?"],
  ],
  [{ file: "{allow, all}" }, ["acl.file: line 1: a rule ends in a full stop"]],
  [
    { file: '%% c\n{allow, all, publish, ["a/#/b"]}.' },
    ['acl.file: line 2: "a/#/b" is not a topic filter: # stands alone in the last level'],
  ],
  [{ file: "{permit, all}." }, ["acl.file: line 1: a rule is {allow, …} or {deny, …}"]],
  [{ file: '{allow, all, pub, ["a"]}.' }, ["acl.file: line 1: an action is publish, subscribe or all"]],
  [{ file: '{allow, {client_attr, "a", "b"}, all, ["#"]}.' }, []],
  [
    { file: '{allow, {zone, "a"}, all, ["#"]}.' },
    ["acl.file: line 1: EMQX knows the condition zone from 6.2.1 on"],
  ],
])("%j", (acl, expected) => {
  expect(problems(acl)).toEqual(expected);
});

test("more than a parameter holds is refused, with what to do", () => {
  const rules = Array.from({ length: 100 }, (_, i) => ({
    permission: "allow",
    username: `device-${i}`,
    topics: [`up/${i}/#`],
  }));
  expect(problems({ rules: rules.slice(0, 50) })).toEqual([]);
  expect(problems({ rules })).toEqual([
    expect.stringMatching(
      /^acl: has \d+ bytes as EMQX's file, and its parameter holds 4096; write one rule for many clients/,
    ),
  ]);
});

test("the package's own file is one", () => {
  const file = `{allow, {username, {re, "^dashboard$"}}, subscribe, ["$SYS/#"]}.

{deny, all, subscribe, ["$SYS/#", {eq, "#"}, {eq, "+/#"}]}. % a comment
{allow, {user, <<"b">>}, {publish, [{qos, [0, 1]}, {retain, false}]}, all}.
{allow, all}.`;
  expect(problems({ file })).toEqual([]);
  expect(readAcl(file)[2]).toMatchObject({ qos: [0, 1], retain: false });
});

test("sources of one's own have the file in them", () => {
  const options = { version: "5.8.9", hasAcl: true };
  const http = 'type = http, method = get, url = "http://10.0.0.9/"';
  expect(extraConfigProblems(`authorization.sources = [{ ${http} }]`, options)).toEqual([
    expect.stringMatching(
      /^extraConfig: authorization.sources leaves out the rules of acl; add \{ type = file, path = "\/etc/,
    ),
  ]);
  const both = `authorization.sources = [{ type = file, path = "/etc/emqx-node/acl.conf" }, { ${http} }]`;
  expect(extraConfigProblems(both, options)).toEqual([]);
});
