/**
 * What the control endpoint says and does about the data plane:
 *
 *     GET  /endpoints                        where the load balancers' listeners answer on this machine
 *     GET  /machines                         every machine: phase, problem, EMQX, cluster
 *     GET  /load-balancers                   health of instances, open connections, counters
 *     GET  /clients                          every MQTT client and the node that serves it
 *     GET  /alarms                           what each CloudWatch alarm would say now, and why
 *     GET  /certificate?arn=…                text/plain: PEM of a certificate that a listener uses
 *     GET  /drill                            what drills have broken and nobody has put right
 *     POST /operate                          { instance, operation, args? }: runs a node operation; what it says
 *     POST /drill/kill | restart | stop-emqx | start-emqx    { instance }
 *     POST /drill/health-check               { instance, broken }
 *     POST /drill/cut-zone | restore-zone    { zone }
 *     POST /drill/expire-certificate | renew-certificate     { arn }
 */
import { ControlServer, Handler } from "../control";
import { AwsError } from "../errors";
import { alarmStatuses } from "./alarms";
import { RunningMachines } from "./regionHost";

export function addDataPlaneRoutes(control: ControlServer, { cloud, plane }: RunningMachines): void {
  const { faults } = plane;
  control.route("GET", "/endpoints", () => plane.endpoints());
  control.route("GET", "/machines", () => plane.machines());
  control.route("GET", "/load-balancers", () => plane.loadBalancers());
  control.route("GET", "/clients", () => plane.clients());
  control.route("GET", "/alarms", () => alarmStatuses(cloud, plane));
  control.route("GET", "/drill", () => plane.standingFaults());
  control.route("GET", "/certificate", (input) => {
    const arn = text(input, "arn");
    const certificate = plane.certificate(arn);
    if (certificate === undefined) {
      throw new AwsError("NotFound", `no listener uses a certificate ${arn}`);
    }
    return certificate.certificatePem;
  });
  control.route(
    "POST",
    "/operate",
    callersMistake((input) => {
      const args = input["args"] ?? [];
      if (!Array.isArray(args) || !args.every((arg) => typeof arg === "string")) {
        throw new AwsError("BadRequest", '"args" is a list of texts');
      }
      return plane.operate(text(input, "instance"), text(input, "operation"), args);
    }),
  );
  const drills: Record<string, [argument: string, run: (value: string) => Promise<void>]> = {
    kill: ["instance", faults.killMachine],
    restart: ["instance", faults.restartMachine],
    "stop-emqx": ["instance", faults.stopEmqx],
    "start-emqx": ["instance", faults.startEmqx],
    "cut-zone": ["zone", faults.cutZone],
    "restore-zone": ["zone", faults.restoreZone],
    "expire-certificate": ["arn", faults.expireCertificate],
    "renew-certificate": ["arn", faults.renewCertificate],
  };
  for (const [name, [argument, run]] of Object.entries(drills)) {
    control.route(
      "POST",
      `/drill/${name}`,
      callersMistake((input) => run(text(input, argument)).then(done)),
    );
  }
  control.route(
    "POST",
    "/drill/health-check",
    callersMistake((input) =>
      faults.breakHealthCheck(text(input, "instance"), input["broken"] !== false).then(done),
    ),
  );
}

const done = () => ({ done: true });

/** What cannot be done to a machine (an unknown one, say) is the caller's mistake, not the region's. */
function callersMistake(run: (input: Record<string, unknown>) => Promise<unknown>): Handler {
  return async (input) => {
    try {
      return await run(input);
    } catch (error) {
      throw error instanceof AwsError ? error : new AwsError("NotFound", (error as Error).message);
    }
  };
}

function text(input: Record<string, unknown>, name: string): string {
  const value = input[name];
  if (typeof value !== "string" || value === "") {
    throw new AwsError("BadRequest", `"${name}" is missing`);
  }
  return value;
}
