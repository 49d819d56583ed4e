/**
 * Another certificate, under another ARN, without a connection lost.
 *
 * The provider changes a listener's certificate by deleting the listener and creating it anew. So AWS's own operation
 * puts the certificate on the running listeners first; the stack's setting follows, and an update with a refresh finds
 * the load balancer as it is meant to be.
 */
import { UserError } from "../console";
import { obtainCli } from "../engine/obtainCli";
import { requiredVersion } from "../engine/version";
import { runLiteralCli } from "../local/literalCli";
import type { Session } from "../local/session";
import { runPulumi } from "../local/session";
import type { Deployment, SimulatedDeployment } from "../smoke/deployment";
import { findDeployment } from "../smoke/deployment";
import { addressesOf } from "../smoke/outputs";
import type { CertificateAccount } from "./account";
import { arnProblems, certificateProblems, certificateRemarks, type Wanted } from "./problems";
import { RealAccount } from "./realAccount";
import { SimulatedAccount } from "./simulatedAccount";

export interface CertificateOptions {
  stack: string;
  arn: string;
  /** Writes the setting into the stack's file too. */
  set?: boolean;
  /** Of two deployments of one name, the one in AWS. */
  real?: boolean;
}

export async function runCertificate(session: Session, options: CertificateOptions): Promise<void> {
  const { stack, arn } = options;
  const { say } = session.speaker;
  const deployment = await findDeployment(session, stack, options);
  const loadBalancer = deployment.outputs.loadBalancerName;
  const region = /^[^.]+\.([a-z0-9-]+)\.elb\./.exec(deployment.outputs.loadBalancerDnsName ?? "")?.[1];
  if (loadBalancer === undefined || region === undefined) {
    throw new UserError(
      `stack ${stack} has no outputs loadBalancerName and loadBalancerDnsName; run pulumi up first`,
    );
  }
  const account = accountOf(session, deployment, region);
  const wanted: Wanted = { arn, region, ...hostnameOf(deployment), now: new Date() };
  await check(account, wanted, say);
  await setOnListeners(account, loadBalancer, arn, say);
  await followUp(session, deployment, options);
}

function accountOf({ env }: Session, deployment: Deployment, region: string): CertificateAccount {
  return deployment.inside.kind === "simulated"
    ? new SimulatedAccount((deployment as SimulatedDeployment).region)
    : new RealAccount(region, env);
}

/** The deployment's own name; the load balancer's is no name that a certificate of somebody's own could be for. */
function hostnameOf({ outputs }: Deployment): { hostname?: string } {
  const hostname = addressesOf(outputs).find(({ usesTls }) => usesTls)?.hostname;
  return hostname === undefined || hostname === outputs.loadBalancerDnsName ? {} : { hostname };
}

type Say = (text: string) => void;

async function check(account: CertificateAccount, wanted: Wanted, say: Say): Promise<void> {
  refuse(wanted, arnProblems(wanted));
  const facts = await account.certificate(wanted.arn);
  refuse(wanted, certificateProblems(facts, wanted));
  if (facts) certificateRemarks(facts, wanted).forEach(say);
}

function refuse({ arn }: Wanted, problems: string[]): void {
  if (problems.length === 0) return;
  const lines = problems.map((problem) => `  - ${problem}`);
  throw new UserError(`nothing was changed, because ${arn} cannot be used:\n${lines.join("\n")}`);
}

async function setOnListeners(
  account: CertificateAccount,
  loadBalancer: string,
  arn: string,
  say: Say,
): Promise<void> {
  const listeners = await account.tlsListeners(loadBalancer);
  if (listeners.length === 0) {
    throw new UserError(
      `the load balancer ${loadBalancer} has no TLS listener; add Mqtts or Wss to listeners`,
    );
  }
  for (const { port, certificateArn } of listeners) {
    if (certificateArn === arn) {
      say(`Port ${port} has this certificate already.`);
      continue;
    }
    await account.setListenerCertificate(loadBalancer, port, arn);
    say(`Port ${port}: new connections get ${arn} now, open ones go on.`);
  }
}

/** The stack still says the old ARN: an update as it is would put that back, by closing the listeners. */
async function followUp(session: Session, deployment: Deployment, options: CertificateOptions) {
  const { stack, arn, set } = options;
  const { say } = session.speaker;
  const isSimulated = deployment.inside.kind === "simulated";
  const changes = [
    ["config", "set", "--path", "emqx-aws:certificate.arn", arn, "--stack", stack],
    // The two exclude each other.
    ...(deployment.outputs.caCertificatePem === undefined
      ? []
      : [["config", "rm", "--path", "emqx-aws:certificate.selfSigned", "--stack", stack]]),
  ];
  const pulumi = isSimulated ? "npm run pulumi --" : "pulumi";
  const update = isSimulated
    ? `npm run up -- --refresh --stack ${stack}`
    : `pulumi up --refresh --stack ${stack}`;
  if (set) {
    for (const change of changes) await runConfig(session, change, isSimulated);
    say(`The settings of stack ${stack} are changed.`);
  }
  const commands = [...(set ? [] : changes.map((change) => `${pulumi} ${change.join(" ")}`)), update];
  say(
    [
      "What remains, before any other update of the stack:",
      ...commands.map((command) => `  ${command}`),
    ].join("\n"),
  );
}

async function runConfig(session: Session, args: string[], isSimulated: boolean): Promise<void> {
  const { env, surroundings, speaker } = session;
  const { exitCode, stderr } = isSimulated
    ? await runPulumi(session, args, { capture: "all" })
    : await runLiteralCli(await obtainCli(requiredVersion(), env, speaker), args, {
        cwd: surroundings.project,
        env,
        capture: "all",
      });
  if (exitCode !== 0) {
    throw new UserError(
      `pulumi ${args.join(" ")} failed; the load balancer is changed already:\n${stderr.trim()}`,
    );
  }
}
