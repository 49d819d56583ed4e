/** What a simulated machine's commands answer, as scripts in real bash get to see it. */
import { Root } from "../../machine/bash/root";
import { TestSystem } from "./system";

let system: TestSystem;
beforeEach(() => (system = new TestSystem()));
afterEach(() => system.dispose());

const aws = "AWS_DEFAULT_REGION=eu-west-1 aws";

test.each([
  ["a command that no machine has", "zsh -c true", 127, /command not found/],
  [
    "an operation that AWS does not have",
    `${aws} ssm fetch-parameter`,
    252,
    /^aws: error: .*fetch-parameter/,
  ],
  [
    "an option that the operation does not have",
    `${aws} ssm get-parameter --name /x --recursive`,
    252,
    /Unknown options/,
  ],
  ["a missing option", `${aws} ssm get-parameter`, 252, /the following arguments are required: --name/],
  ["no region", "aws ssm get-parameter --name /x", 253, /You must specify a region/],
  [
    "a region out of reach",
    "aws --region nowhere ssm get-parameter --name /x",
    255,
    /Could not connect to the endpoint URL/,
  ],
  [
    "a parameter that is not there",
    `${aws} ssm get-parameter --name /x`,
    254,
    /\(ParameterNotFound\) when calling the GetParameter/,
  ],
  ["a copy of nothing", `${aws} s3 cp /nothing s3://b/k`, 255, /user-provided path \/nothing does not exist/],
  ["an option that curl does not have", "curl --frob http://127.0.0.1/", 2, /unrecognized option '--frob'/],
  ["a port that nobody listens on", "curl -fsS http://127.0.0.1:1/", 7, /Failed to connect/],
  ["another scheme than allowed", "curl -sS --proto =https http://x.example/", 1, /Protocol "http" disabled/],
  ["a host out of reach", "curl -sS https://nowhere.example/", 28, /no route/],
  [
    "the metadata service without a token",
    "curl -fsS http://169.254.169.254/latest/meta-data/instance-id",
    22,
    /error: 401/,
  ],
  [
    "a call of AWS's API with another's signature",
    "curl -fsS -u key:secret --aws-sigv4 aws:amz:eu-west-1:ssm -H 'X-Amz-Security-Token: Session-of-i-1' " +
      "-H 'X-Amz-Target: AmazonSSM.GetParameters' --data '{}' https://ssm.eu-west-1.amazonaws.com/",
    22,
    /error: 400/,
  ],
  ["a file nobody can open", "curl -sS -H @/nothing http://127.0.0.1/", 26, /Failed to open/],
  ["a unit that is not there", "systemctl start nothing", 5, /Unit nothing.service not found/],
  ["enabling one", "systemctl enable nothing.timer", 1, /Unit file nothing.timer does not exist/],
  ["a verb that systemctl does not have", "systemctl frob", 1, /Unknown command verb frob/],
  ["a package that is not installed", "rpm -q emqx", 1, /package emqx is not installed/],
  ["a package that is nowhere", "dnf -q -y install frob", 1, /Unable to find a match: frob/],
  [
    "a user of a package that is not installed",
    "touch /tmp/x; runuser -u emqx -- true",
    1,
    /user emqx does not exist/,
  ],
  [
    "an owner who does not exist",
    'touch "$TMPDIR/x"; chown emqx:emqx "$TMPDIR/x"',
    1,
    /invalid user: 'emqx:emqx'/,
  ],
  ["a device without a file system", 'blkid -p "$EMQX_NODE_ROOT/dev/sdf"', 2, undefined],
  ["a folder that is no mount point", 'mountpoint -q "$EMQX_NODE_ROOT/tmp"', 32, undefined],
  ["a span that timeout does not know", "timeout x true", 125, /invalid time interval/],
  ["a span that sleep does not know", "sleep soon", 1, /invalid time interval/],
])("%s: %s", async (_what, script, code, words) => {
  const run = await system.bash(script);
  expect([run.code, run.lines.find((line) => words?.test(line))]).toEqual([
    code,
    words === undefined ? undefined : expect.stringMatching(words),
  ]);
});

test("words come on the streams of the real programs", async () => {
  const { lines } = await system.bash(
    `${aws} ssm get-parameter --name /x 2>/dev/null; echo "out: $?"; systemctl frob 2>/dev/null; echo $?`,
  );
  expect(lines).toEqual(["out: 254", "1"]);
});

test("--query and --output text pick as the AWS CLI does", async () => {
  system.parameters.set("/x", "a\tb");
  const { lines } = await system.bash(
    `${aws} ssm get-parameter --name /x --query Parameter.Value --output text
     ${aws} ssm get-parameter --name /x --query 'Parameter.[Name,Nothing]' --output text
     ${aws} ssm get-parameter --name /x --query Parameter.Value`,
  );
  expect(lines).toEqual(["a\tb", "/x\tNone", '"a\\tb"']);
});

test("a volume is blank, is formatted once, and is mounted by its UUID", async () => {
  const { lines } = await system.bash(`
    device=$EMQX_NODE_ROOT/dev/sdf data=$EMQX_NODE_ROOT/var/lib/emqx
    wipefs --noheadings "$device"; mkfs.xfs -q "$device"; mkfs.xfs -q "$device" 2>/dev/null; echo $?
    blkid -p -o value -s TYPE "$device"
    echo "UUID=$(blkid -p -o value -s UUID "$device") /var/lib/emqx xfs nofail 0 0" >>"$EMQX_NODE_ROOT/etc/fstab"
    systemctl start var-lib-emqx.mount; echo $?
    systemctl daemon-reload; mkdir -p "\${data%/*}"; systemctl start var-lib-emqx.mount; mountpoint -q "$data"; echo $?`);
  // What fstab says counts from the next daemon-reload on.
  expect(lines.filter((line) => !line.startsWith("Failed"))).toEqual(["1", "xfs", "5", "0"]);
});

test("a disk keeps its files' owners when its machine is switched off and on again", () => {
  system.root.write("/etc/kept", "x", 0o640);
  system.root.owners.set(system.root.at("/etc/kept"), "root:emqx");
  expect(new Root(system.root.path).owners.of(system.root.at("/etc/kept"))).toBe("root:emqx");
});

test("a renamed file keeps its owner", async () => {
  const { lines } = await system.bash(
    `cd "$TMPDIR" && touch a b && chown nobody:nobody a && mv a b && stat -c '%U:%G' b`,
  );
  expect(lines).toEqual(["nobody:nobody"]);
});

describe("time", () => {
  test("waits are shortened for the computer, and whole for the machine", async () => {
    const started = Date.now();
    const { lines } = await system.bash(
      'read -r a _ <"$EMQX_NODE_ROOT/proc/uptime"; s=$SECONDS; sleep 300; read -r b _ <"$EMQX_NODE_ROOT/proc/uptime"; echo $((${b%.*} - ${a%.*} >= 300)) $((SECONDS - s >= 300))',
    );
    expect(lines).toEqual(["1 1"]);
    expect(Date.now() - started).toBeGreaterThanOrEqual(2900);
    expect(Date.now() - started).toBeLessThan(60_000);
  });

  test("a timeout in front of a call that hangs ends it in the machine's time", async () => {
    system.disturbances.add({ program: "aws", how: "hang" });
    const { lines } = await system.bash(
      `timeout -k 5 60 aws ssm get-parameter --name /x; echo $?; timeout 1m sleep 100; echo $?`,
    );
    expect(lines).toEqual(["124", "124"]);
  });

  test("a program of the computer's own is ended, too", async () => {
    const { lines } = await system.bash("timeout 1 tail -f /dev/null; echo $?");
    expect(lines).toEqual(["124"]);
  });
});

describe("outside the scripts", () => {
  const call = `${aws} ssm get-parameter --name /x --query Parameter.Value --output text; echo $?`;
  beforeEach(() => system.parameters.set("/x", "value-of-x"));

  test.each([
    [
      "fail",
      { fail: 254, words: "An error occurred (ThrottlingException)" },
      ["An error occurred (ThrottlingException)", "254"],
    ],
    ["answer nothing", "nothing", ["0"]],
    ["answer late", { late: 100 }, ["value-of-x", "0"]],
    ["are cut", "cut", ["value0"]],
  ] as const)("calls %s, as many as asked for", async (_name, how, lines) => {
    const end = system.disturbances.add({ program: "aws", args: /get-parameter/, times: 1, how });
    expect((await system.bash(call)).lines).toEqual(lines);
    expect((await system.bash(call)).lines).toEqual(["value-of-x", "0"]);
    end();
  });

  test("nobody without a run's token gets an answer, and its processes die", async () => {
    const { code, lines } = await system.bash("REGION_RUN=other aws ssm get-parameter --name /x; echo on");
    expect([code, lines]).toEqual([137, []]);
  });
});
